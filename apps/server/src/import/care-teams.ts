import { auditId } from '../audit/event.ts'
import { assignToCareTeam, changeAssignment } from '../care-team/assign.ts'
import type { Change } from '../storage/transaction.ts'
import type { Place } from './fhir-source.ts'
import type { Gathered, ImportOptions } from './import-fhir.ts'
import { inBatches } from './in-batches.ts'
import { findPerson } from './people.ts'
import type { References } from './references.ts'
import type { ImportReport, Outcome } from './report.ts'

/** Roles in which somebody can be on a care team, the first that fits. */
const CLINICAL_ROLES = ['physician', 'nurse', 'pharmacist', 'unit-clerk']

/** Assignments of the CareTeams, then of `--care-team`; last, how many patients nobody is assigned to. */
export async function importCareTeams(
  options: ImportOptions,
  gathered: Gathered,
  references: References,
  report: ImportReport,
) {
  const { database, tenantId } = options
  const store = (wanted: readonly Wanted[], leave: (each: Wanted, reason: LeftOfTeam) => void) =>
    inBatches(
      database,
      tenantId,
      wanted,
      (tx, each) => storeAssignment(tx, options, each),
      (each, outcome) => {
        if (outcome === 'malformed' || outcome === 'no-clinical-role') leave(each, outcome)
        else report.counts.assignments[outcome] += 1
      },
    )
  const leaveOut = ({ place }: { place: Place | null }, reason: LeftOfTeam) => {
    if (place !== null) report.left.push({ place, type: 'CareTeam', reason })
  }
  await store(await assignmentsOf(options, gathered, references, leaveOut), leaveOut)
  for (const username of options.careTeam) {
    await store(await assignmentsToAll(options, gathered, references, username), () => {
      throw new NotClinical(username)
    })
  }
  report.patientsWithoutTeam = await countWithoutTeam(options, gathered, references)
}

type LeftOfTeam = 'malformed' | 'patient-unknown' | 'person-unknown' | 'no-clinical-role'

type Wanted = {
  /** The CareTeam that says so; null: the command line. */
  readonly place: Place | null
  readonly patientId: string
  readonly userId: string
  readonly externalDigest: Uint8Array<ArrayBuffer>
  readonly startsAt: string | null
  readonly endsAt: string | null
}

async function assignmentsOf(
  options: ImportOptions,
  gathered: Gathered,
  references: References,
  leaveOut: (team: { place: Place }, reason: LeftOfTeam) => void,
): Promise<Wanted[]> {
  const { tenantId, keyring } = options
  const wanted: Wanted[] = []
  for (const team of gathered.careTeams) {
    const patientId = await findPatient(options, references.resolve('Patient', team.patient))
    if (patientId === undefined) {
      leaveOut(team, 'patient-unknown')
      continue
    }
    for (const { member, startsAt, endsAt } of team.participants) {
      const userId = await findPerson(options, references.resolve('Practitioner', member))
      if (userId === undefined) {
        leaveOut(team, 'person-unknown')
        continue
      }
      const externalDigest = await keyring.digest(tenantId, 'fhir', `CareTeam/${team.fhirId}/${userId}`)
      wanted.push({ place: team.place, patientId, userId, externalDigest, startsAt, endsAt })
    }
  }
  return wanted
}

/** `--care-team`: this person on the team of each patient in the files. */
async function assignmentsToAll(
  options: ImportOptions,
  gathered: Gathered,
  references: References,
  username: string,
): Promise<Wanted[]> {
  const { tenantId, keyring } = options
  const userId = await findPerson(options, { username })
  if (userId === undefined) throw new UnknownUser(username)
  const wanted: Wanted[] = []
  for (const patientId of patientsOf(gathered, references)) {
    const externalDigest = await keyring.digest(tenantId, 'fhir', `import/${patientId}/${userId}`)
    wanted.push({ place: null, patientId, userId, externalDigest, startsAt: null, endsAt: null })
  }
  return wanted
}

async function storeAssignment(
  tx: Change,
  { by }: ImportOptions,
  wanted: Wanted,
): Promise<Outcome | 'malformed' | 'no-clinical-role'> {
  const { tenantId, db } = tx
  const { patientId, userId, externalDigest } = wanted
  const refused = { ...by, action: 'care-team.assign', outcome: 'refused', patient: auditId(patientId) } as const
  const there = await db.careTeam.findUnique({ where: { tenantId_externalDigest: { tenantId, externalDigest } } })
  const endsAt = wanted.endsAt ? new Date(wanted.endsAt) : null
  const startsAt = wanted.startsAt ? new Date(wanted.startsAt) : (there?.startsAt ?? startBefore(endsAt, tx.at))
  if (endsAt !== null && endsAt < startsAt) {
    tx.audit({ ...refused, reason: 'schema', user: auditId(userId) })
    return 'malformed'
  }
  if (there !== null) {
    if (there.startsAt.getTime() === startsAt.getTime() && there.endsAt?.getTime() === endsAt?.getTime()) {
      tx.audit({ ...by, action: 'care-team.read', outcome: 'allowed', assignment: auditId(there.id) })
      return 'unchanged'
    }
    await changeAssignment(tx, { id: there.id, patientId, userId, role: there.role, startsAt, endsAt, by })
    return 'updated'
  }
  // The command line puts people where they are not yet; somebody may have done so by hand.
  const open = wanted.place === null ? await db.careTeam.count({ where: { tenantId, patientId, userId, endsAt } }) : 0
  if (open > 0) {
    tx.audit({
      ...by,
      action: 'care-team.read',
      outcome: 'allowed',
      patient: auditId(patientId),
      user: auditId(userId),
    })
    return 'unchanged'
  }
  const held = await db.userRole.findMany({ where: { tenantId, userId }, include: { role: true } })
  const role = CLINICAL_ROLES.find((name) => held.some((one) => one.role.name === name))
  if (role === undefined) {
    tx.audit({ ...refused, reason: 'no-permission', user: auditId(userId) })
    return 'no-clinical-role'
  }
  await assignToCareTeam(tx, { patientId, userId, role, startsAt, endsAt, externalDigest, by })
  return 'added'
}

/** Where the source states no start: from now on, or, of what has ended already, no time at all. */
function startBefore(endsAt: Date | null, now: number): Date {
  return new Date(Math.min(now, endsAt?.getTime() ?? now))
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

/** The patients in the files that are patients here. */
function patientsOf(gathered: Gathered, references: References): string[] {
  return gathered.patients.flatMap(
    ({ fhirId }) => references.resolve('Patient', { by: 'id', type: 'Patient', id: fhirId })?.id ?? [],
  )
}

async function countWithoutTeam(
  { database, tenantId }: ImportOptions,
  gathered: Gathered,
  references: References,
): Promise<number> {
  const rows = await database.readTenant(tenantId, (db) =>
    db.careTeam.findMany({ where: { tenantId }, distinct: ['patientId'], select: { patientId: true } }),
  )
  const cared = new Set(rows.map(({ patientId }) => patientId))
  return patientsOf(gathered, references).filter((id) => !cared.has(id)).length
}
