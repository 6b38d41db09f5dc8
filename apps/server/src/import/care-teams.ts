import { auditId } from '../audit/event.ts'
import { assignToCareTeam, changeAssignment } from '../care-team/assign.ts'
import type { Gathered, ImportOptions } from './import-fhir.ts'
import { findPerson } from './people.ts'
import type { References } from './references.ts'
import type { ImportReport } from './report.ts'

/** Roles in which somebody can be on a care team, the first that fits. */
const CLINICAL_ROLES = ['physician', 'nurse', 'pharmacist', 'unit-clerk']

/** Assignments of the CareTeams, then of `--care-team`; last, how many patients nobody is assigned to. */
export async function importCareTeams(
  options: ImportOptions,
  gathered: Gathered,
  references: References,
  report: ImportReport,
) {
  const { tenantId, keyring } = options
  for (const team of gathered.careTeams) {
    const leave = (reason: 'patient-unknown' | 'person-unknown' | 'no-clinical-role') =>
      report.left.push({ place: team.place, type: 'CareTeam', reason })
    const patientId = await findPatient(options, references.resolve('Patient', team.patient))
    if (patientId === undefined) {
      leave('patient-unknown')
      continue
    }
    for (const participant of team.participants) {
      const userId = await findPerson(options, references.resolve('Practitioner', participant.member))
      if (userId === undefined) {
        leave('person-unknown')
        continue
      }
      const externalDigest = await keyring.digest(tenantId, 'fhir', `CareTeam/${team.fhirId}/${userId}`)
      const outcome = await assign(options, { patientId, userId, externalDigest, ...participant })
      if (outcome === 'no-clinical-role') leave(outcome)
      else report.counts.assignments[outcome] += 1
    }
  }
  await assignToAll(options, gathered, references, report)
  report.patientsWithoutTeam = await countWithoutTeam(options, gathered, references)
}

type Wanted = {
  readonly patientId: string
  readonly userId: string
  readonly externalDigest: Uint8Array<ArrayBuffer>
  readonly startsAt: string | null
  readonly endsAt: string | null
}

function assign(
  options: ImportOptions,
  wanted: Wanted,
): Promise<'added' | 'updated' | 'unchanged' | 'no-clinical-role'> {
  const { database, tenantId, by } = options
  const { patientId, userId, externalDigest } = wanted
  return database.withTenant(tenantId, async (tx) => {
    const there = await tx.db.careTeam.findUnique({ where: { tenantId_externalDigest: { tenantId, externalDigest } } })
    const startsAt = wanted.startsAt ? new Date(wanted.startsAt) : (there?.startsAt ?? new Date(tx.at))
    const endsAt = wanted.endsAt ? new Date(wanted.endsAt) : null
    if (there !== null) {
      if (there.startsAt.getTime() === startsAt.getTime() && there.endsAt?.getTime() === endsAt?.getTime()) {
        tx.audit({ ...by, action: 'care-team.read', outcome: 'allowed', assignment: auditId(there.id) })
        return 'unchanged'
      }
      await changeAssignment(tx, { id: there.id, patientId, userId, role: there.role, startsAt, endsAt, by })
      return 'updated'
    }
    const held = await tx.db.userRole.findMany({ where: { tenantId, userId }, include: { role: true } })
    const role = CLINICAL_ROLES.find((name) => held.some((one) => one.role.name === name))
    if (role === undefined) {
      tx.audit({
        ...by,
        action: 'care-team.assign',
        outcome: 'refused',
        reason: 'no-permission',
        patient: auditId(patientId),
        user: auditId(userId),
      })
      return 'no-clinical-role'
    }
    await assignToCareTeam(tx, { patientId, userId, role, startsAt, endsAt, externalDigest, by })
    return 'added'
  })
}

/** `--care-team`: each named user on the team of each patient in the files, unless an open assignment is there already. */
async function assignToAll(options: ImportOptions, gathered: Gathered, references: References, report: ImportReport) {
  const { database, keyring, tenantId } = options
  for (const username of options.careTeam) {
    const userId = await findPerson(options, { username })
    if (userId === undefined) throw new UnknownUser(username)
    for (const patient of gathered.patients) {
      const patientId = await findPatient(
        options,
        references.resolve('Patient', { by: 'id', type: 'Patient', id: patient.fhirId }),
      )
      if (patientId === undefined) continue
      const open = await database.readTenant(tenantId, (db) =>
        db.careTeam.count({ where: { tenantId, patientId, userId, endsAt: null } }),
      )
      if (open > 0) {
        report.counts.assignments.unchanged += 1
        continue
      }
      const externalDigest = await keyring.digest(tenantId, 'fhir', `import/${patientId}/${userId}`)
      const outcome = await assign(options, { patientId, userId, externalDigest, startsAt: null, endsAt: null })
      if (outcome === 'no-clinical-role') throw new NotClinical(username)
      report.counts.assignments[outcome] += 1
    }
  }
}

/** `--care-team` names somebody whom the tenant does not have. */
export class UnknownUser extends Error {
  readonly username: string
  constructor(username: string) {
    super('no such user')
    this.username = username
  }
}

/** `--care-team` names somebody whose roles do not care for patients. */
export class NotClinical extends Error {
  readonly username: string
  constructor(username: string) {
    super('no clinical role')
    this.username = username
  }
}

async function findPatient(
  options: ImportOptions,
  named: ReturnType<References['resolve']>,
): Promise<string | undefined> {
  const { database, keyring, tenantId } = options
  if (named?.id !== undefined) return named.id
  if (named?.fhirId === undefined) return undefined
  const externalDigest = await keyring.digest(tenantId, 'fhir', `Patient/${named.fhirId}`)
  const where = { tenantId_externalDigest: { tenantId, externalDigest } }
  return (await database.readTenant(tenantId, (db) => db.patient.findUnique({ where })))?.id
}

async function countWithoutTeam(options: ImportOptions, gathered: Gathered, references: References): Promise<number> {
  let without = 0
  for (const patient of gathered.patients) {
    const patientId = references.resolve('Patient', { by: 'id', type: 'Patient', id: patient.fhirId })?.id
    if (patientId === undefined) continue
    const { tenantId } = options
    const held = await options.database.readTenant(tenantId, (db) =>
      db.careTeam.count({ where: { tenantId, patientId } }),
    )
    if (held === 0) without += 1
  }
  return without
}
