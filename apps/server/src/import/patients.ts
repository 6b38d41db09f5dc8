import { isDeepStrictEqual } from 'node:util'
import { auditId } from '../audit/event.ts'
import { createPatient } from '../patients/create.ts'
import { type Demographics, openDemographics, sealDemographics } from '../patients/demographics.ts'
import type { Change } from '../storage/transaction.ts'
import type { ImportedPatient } from './fhir-resources.ts'
import type { Gathered, ImportOptions, Taken } from './import-fhir.ts'
import { inBatches } from './in-batches.ts'
import type { References } from './references.ts'
import type { ImportReport, Outcome } from './report.ts'

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
  const { database, tenantId, onProgress } = options
  await inBatches(
    database,
    tenantId,
    gathered.patients,
    (tx, patient) => storePatient(tx, options, patient),
    (patient, stored, count) => {
      if (stored === 'of-another') {
        report.left.push({ place: patient.place, type: 'Patient', reason: 'medical-record-number-of-another' })
      } else {
        report.counts.patients[stored.outcome] += 1
        references.settle('Patient', patient.fhirId, stored.id)
      }
      if (count % 500 === 0) onProgress?.(`${count} of ${gathered.patients.length} patients`)
    },
  )
}

async function storePatient(
  tx: Change,
  { keyring, by }: ImportOptions,
  patient: Taken<ImportedPatient>,
): Promise<{ outcome: Outcome; id: string } | 'of-another'> {
  const { tenantId } = tx
  const { family, given, birthDate, mrn, sex, deceased } = patient
  const demographics: Demographics = { family, given, birthDate, mrn, sex, deceased }
  const externalDigest = await keyring.digest(tenantId, 'fhir', `Patient/${patient.fhirId}`)
  const mrnDigest = await keyring.digest(tenantId, 'mrn', mrn)
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
    return 'of-another'
  }
  const there = byId ?? byMrn
  if (there === null) {
    const { patientId } = await createPatient(tx, keyring, { demographics, mrnDigest, externalDigest, by })
    return { outcome: 'added', id: patientId }
  }
  const stored = await openDemographics(keyring, tenantId, there)
  if (isDeepStrictEqual(stored, demographics) && there.externalDigest !== null) {
    tx.audit({ ...by, action: 'patient.view', outcome: 'allowed', patient: auditId(there.id) })
    return { outcome: 'unchanged', id: there.id }
  }
  const sealedDemographics = await sealDemographics(keyring, tenantId, there.id, there.dataKeyId, demographics)
  await tx.db.patient.update({
    where: { tenantId_id: { tenantId, id: there.id } },
    data: { sealedDemographics, mrnDigest, externalDigest, updatedAt: new Date(tx.at) },
  })
  tx.audit({ ...by, action: 'patient.update', outcome: 'allowed', patient: auditId(there.id) })
  return { outcome: 'updated', id: there.id }
}
