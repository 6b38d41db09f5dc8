import { auditId, auditRole } from '../audit/event.ts'
import { createUser } from '../users/create.ts'
import type { ImportedPractitioner } from './fhir-resources.ts'
import type { Gathered, ImportOptions } from './import-fhir.ts'
import type { References } from './references.ts'
import type { ImportReport } from './report.ts'

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
  const { database, keyring, tenantId, by, onProgress } = options
  for (const [index, person] of gathered.practitioners.entries()) {
    const externalDigest = await keyring.digest(tenantId, 'fhir', `Practitioner/${person.fhirId}`)
    const id = await database.withTenant(tenantId, async (tx) => {
      const there = await tx.db.user.findUnique({ where: { tenantId_externalDigest: { tenantId, externalDigest } } })
      if (there === null) {
        report.counts.practitioners.added += 1
        const username = await freeUsername(person, async (name) => {
          return (await tx.db.user.findUnique({ where: { tenantId_username: { tenantId, username: name } } })) === null
        })
        const { displayName } = person
        return createUser(tx, {
          username,
          displayName,
          title: null,
          roles: [],
          passwordHash: null,
          externalDigest,
          by,
        })
      }
      if (there.displayName === person.displayName) {
        report.counts.practitioners.unchanged += 1
        tx.audit({ ...by, action: 'user.read', outcome: 'allowed', user: auditId(there.id) })
      } else {
        report.counts.practitioners.updated += 1
        await tx.db.user.update({
          where: { tenantId_id: { tenantId, id: there.id } },
          data: { displayName: person.displayName },
        })
        tx.audit({ ...by, action: 'user.update', outcome: 'allowed', user: auditId(there.id) })
      }
      return there.id
    })
    references.settle('Practitioner', person.fhirId, id)
    if (index % 500 === 499) onProgress?.(`${index + 1} of ${gathered.practitioners.length} practitioners`)
  }
  await importRoles(options, gathered, references, report)
}

async function importRoles(options: ImportOptions, gathered: Gathered, references: References, report: ImportReport) {
  const { database, tenantId, by } = options
  for (const given of gathered.roles) {
    const userId = await findPerson(options, references.resolve('Practitioner', given.practitioner))
    if (userId === undefined || given.role === null) {
      const reason = userId === undefined ? 'person-unknown' : 'role-not-recognised'
      report.left.push({ place: given.place, type: 'PractitionerRole', reason })
      continue
    }
    const name = given.role
    await database.withTenant(tenantId, async (tx) => {
      const role = await tx.db.role.findUniqueOrThrow({ where: { tenantId_name: { tenantId, name } } })
      const key = { tenantId, userId, roleId: role.id }
      const user = await tx.db.user.findUniqueOrThrow({ where: { tenantId_id: { tenantId, id: userId } } })
      const held = await tx.db.userRole.findUnique({ where: { tenantId_userId_roleId: key } })
      const title = user.title ?? given.title
      if (held !== null && title === user.title) {
        report.counts.roles.unchanged += 1
        tx.audit({ ...by, action: 'user.read', outcome: 'allowed', user: auditId(userId) })
        return
      }
      report.counts.roles.added += 1
      if (held === null) await tx.db.userRole.create({ data: { ...key, grantedBy: by.actor } })
      await tx.db.user.update({
        where: { tenantId_id: { tenantId, id: userId } },
        data: { title, version: { increment: 1 } },
      })
      tx.audit({ ...by, action: 'role.assign', outcome: 'allowed', user: auditId(userId), role: auditRole(name) })
    })
  }
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
