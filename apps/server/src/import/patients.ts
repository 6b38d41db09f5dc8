import { isDeepStrictEqual } from 'node:util'
import { auditId } from '../audit/event.ts'
import { createPatient } from '../patients/create.ts'
import { type Demographics, openDemographics, sealDemographics } from '../patients/demographics.ts'
import type { Gathered, ImportOptions, Taken } from './import-fhir.ts'
import type { ImportedPatient } from './fhir-resources.ts'
import type { References } from './references.ts'
import type { ImportReport } from './report.ts'

/**
 * Patients are known again by their FHIR id, else by their medical record number. Where the two name different patients
 * here, nothing is changed: joining two records is a person's decision (Joint Commission NPSG.01.01.01).
 */
export async function importPatients(
  options: ImportOptions,
  gathered: Gathered,
  references: References,
  report: ImportReport,
) {
  for (const [index, patient] of gathered.patients.entries()) {
    const id = await importPatient(options, patient, report)
    if (id === undefined) {
      report.left.push({ place: patient.place, type: 'Patient', reason: 'medical-record-number-of-another' })
    } else references.settle('Patient', patient.fhirId, id)
    if (index % 500 === 499) options.onProgress?.(`${index + 1} of ${gathered.patients.length} patients`)
  }
}

async function importPatient(
  options: ImportOptions,
  patient: Taken<ImportedPatient>,
  report: ImportReport,
): Promise<string | undefined> {
  const { database, keyring, tenantId, by } = options
  const { family, given, birthDate, mrn, sex, deceased } = patient
  const demographics: Demographics = { family, given, birthDate, mrn, sex, deceased }
  const externalDigest = await keyring.digest(tenantId, 'fhir', `Patient/${patient.fhirId}`)
  const mrnDigest = await keyring.digest(tenantId, 'mrn', mrn)
  return database.withTenant(tenantId, async (tx) => {
    const byId = await tx.db.patient.findUnique({ where: { tenantId_externalDigest: { tenantId, externalDigest } } })
    const byMrn = await tx.db.patient.findUnique({ where: { tenantId_mrnDigest: { tenantId, mrnDigest } } })
    if (byId !== null && byMrn !== null && byId.id !== byMrn.id) {
      tx.audit({
        ...by,
        action: 'patient.update',
        outcome: 'refused',
        reason: 'conflict',
        patient: auditId(byId.id),
      })
      return undefined
    }
    const there = byId ?? byMrn
    if (there === null) {
      report.counts.patients.added += 1
      return (await createPatient(tx, keyring, { demographics, mrnDigest, externalDigest, by })).patientId
    }
    const stored = await openDemographics(keyring, tenantId, there)
    if (isDeepStrictEqual(stored, demographics) && there.externalDigest !== null) {
      report.counts.patients.unchanged += 1
      tx.audit({ ...by, action: 'patient.view', outcome: 'allowed', patient: auditId(there.id) })
      return there.id
    }
    report.counts.patients.updated += 1
    const sealedDemographics = await sealDemographics(keyring, tenantId, there.id, there.dataKeyId, demographics)
    await tx.db.patient.update({
      where: { tenantId_id: { tenantId, id: there.id } },
      data: { sealedDemographics, mrnDigest, externalDigest, updatedAt: new Date(tx.at) },
    })
    tx.audit({ ...by, action: 'patient.update', outcome: 'allowed', patient: auditId(there.id) })
    return there.id
  })
}
