import type { By } from '../audit/by.ts'
import { auditId, auditRole } from '../audit/event.ts'
import type { Change } from '../storage/transaction.ts'
import { createUser } from '../users/create.ts'
import type { ImportedPractitioner } from './fhir-resources.ts'
import type { Gathered, ImportOptions } from './import-fhir.ts'
import { inBatches } from './in-batches.ts'
import type { References } from './references.ts'
import type { ImportReport, Outcome } from './report.ts'

/**
 * Practitioners become users who cannot sign in until an administrator gives them a password or the identity provider
 * knows them; their roles come from PractitionerRole.
 */
export async function importPeople(
  options: ImportOptions,
  gathered: Gathered,
  references: References,
  report: ImportReport,
) {
  const { database, tenantId, onProgress } = options
  const { practitioners } = gathered
  await inBatches(
    database,
    tenantId,
    practitioners,
    (tx, person) => storePerson(tx, options, person),
    (person, { outcome, id }, count) => {
      report.counts.practitioners[outcome] += 1
      references.settle('Practitioner', person.fhirId, id)
      if (count % 500 === 0) onProgress?.(`${count} of ${practitioners.length} practitioners`)
    },
  )
  await importRoles(options, gathered, references, report)
}

async function storePerson(
  tx: Change,
  { keyring, by }: ImportOptions,
  person: ImportedPractitioner,
): Promise<{ outcome: Outcome; id: string }> {
  const { tenantId, db } = tx
  const { displayName } = person
  const externalDigest = await keyring.digest(tenantId, 'fhir', `Practitioner/${person.fhirId}`)
  const there = await db.user.findUnique({ where: { tenantId_externalDigest: { tenantId, externalDigest } } })
  if (there === null) {
    const username = await freeUsername(person, async (name) => {
      return (await db.user.findUnique({ where: { tenantId_username: { tenantId, username: name } } })) === null
    })
    const user = { username, displayName, title: null, roles: [], passwordHash: null, externalDigest, by }
    return { outcome: 'added', id: await createUser(tx, user) }
  }
  const { id } = there
  if (there.displayName === displayName) {
    tx.audit({ ...by, action: 'user.read', outcome: 'allowed', user: auditId(id) })
    return { outcome: 'unchanged', id }
  }
  await db.user.update({
    where: { tenantId_id: { tenantId, id } },
    data: { displayName, version: { increment: 1 } },
  })
  tx.audit({ ...by, action: 'user.update', outcome: 'allowed', user: auditId(id) })
  return { outcome: 'updated', id }
}

async function importRoles(options: ImportOptions, gathered: Gathered, references: References, report: ImportReport) {
  const { database, tenantId, by } = options
  const wanted: WantedRole[] = []
  for (const { practitioner, role, title, place } of gathered.roles) {
    const userId = await findPerson(options, references.resolve('Practitioner', practitioner))
    if (userId !== undefined && role !== null) wanted.push({ userId, role, title })
    else {
      const reason = userId === undefined ? 'person-unknown' : 'role-not-recognised'
      report.left.push({ place, type: 'PractitionerRole', reason })
    }
  }
  await inBatches(
    database,
    tenantId,
    wanted,
    (tx, each) => storeRole(tx, by, each),
    (_, outcome) => {
      report.counts.roles[outcome] += 1
    },
  )
}

type WantedRole = { readonly userId: string; readonly role: string; readonly title: string | null }

async function storeRole(tx: Change, by: By, { userId, role: name, title: stated }: WantedRole): Promise<Outcome> {
  const { tenantId, db } = tx
  const role = await db.role.findUniqueOrThrow({ where: { tenantId_name: { tenantId, name } } })
  const key = { tenantId, userId, roleId: role.id }
  const user = await db.user.findUniqueOrThrow({ where: { tenantId_id: { tenantId, id: userId } } })
  const held = await db.userRole.findUnique({ where: { tenantId_userId_roleId: key } })
  const title = user.title ?? stated
  if (held !== null && title === user.title) {
    tx.audit({ ...by, action: 'user.read', outcome: 'allowed', user: auditId(userId) })
    return 'unchanged'
  }
  if (held === null) {
    await db.userRole.create({ data: { ...key, grantedBy: by.actor } })
    tx.audit({ ...by, action: 'role.assign', outcome: 'allowed', user: auditId(userId), role: auditRole(name) })
  } else tx.audit({ ...by, action: 'user.update', outcome: 'allowed', user: auditId(userId) })
  await db.user.update({
    where: { tenantId_id: { tenantId, id: userId } },
    data: { title, version: { increment: 1 } },
  })
  return held === null ? 'added' : 'updated'
}

/** The user whom a reference names: stored in this run, known from an earlier one, or named by user name. */
export async function findPerson(
  options: ImportOptions,
  named: ReturnType<References['resolve']>,
): Promise<string | undefined> {
  const { database, keyring, tenantId } = options
  if (named === undefined || named.id !== undefined) return named?.id
  const { fhirId, username } = named
  const externalDigest =
    fhirId === undefined ? undefined : await keyring.digest(tenantId, 'fhir', `Practitioner/${fhirId}`)
  const where =
    externalDigest === undefined
      ? { tenantId_username: { tenantId, username: username as string } }
      : { tenantId_externalDigest: { tenantId, externalDigest } }
  return (await database.readTenant(tenantId, (db) => db.user.findUnique({ where })))?.id
}

/** `given.family` in letters, digits and dots, with a number behind it where that is taken. */
async function freeUsername(person: ImportedPractitioner, isFree: (name: string) => Promise<boolean>): Promise<string> {
  const plain = (text: string) =>
    text
      .normalize('NFKD')
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '')
  const base = [plain(person.given), plain(person.family)].filter(Boolean).join('.').slice(0, 56) || 'practitioner'
  for (let n = 1; ; n++) {
    const name = n === 1 ? base : `${base}-${n}`
    if (name.length > 1 && (await isFree(name))) return name
  }
}
