import { randomUUID } from 'node:crypto'
import type { By } from '../audit/by.ts'
import { auditId, auditRole } from '../audit/event.ts'
import type { Change } from '../storage/transaction.ts'

export type NewUser = {
  readonly username: string
  readonly displayName: string
  readonly title: string | null
  /** Names of roles of the tenant; one that is not there is an error. */
  readonly roles: readonly string[]
  /** Null: nobody can sign in as this user until a password is set. */
  readonly passwordHash: string | null
  readonly externalDigest: Uint8Array<ArrayBuffer> | null
  readonly by: By
}

/** A name of a role that the tenant does not have. */
export class UnknownRole extends Error {}

/** A person, with roles. @throws UnknownRole; a unique violation where the user name is taken */
export async function createUser(tx: Change, user: NewUser): Promise<string> {
  const { tenantId } = tx
  const { username, displayName, title, passwordHash, externalDigest, by } = user
  const roles = await rolesNamed(tx, user.roles)
  const id = randomUUID()
  await tx.db.user.create({ data: { tenantId, id, username, displayName, title, passwordHash, externalDigest } })
  await tx.db.userRole.createMany({
    data: roles.map((role) => ({ tenantId, userId: id, roleId: role.id, grantedBy: by.actor })),
  })
  tx.audit({ ...by, action: 'user.create', outcome: 'allowed', user: auditId(id) })
  for (const role of roles) {
    tx.audit({ ...by, action: 'role.assign', outcome: 'allowed', user: auditId(id), role: auditRole(role.name) })
  }
  return id
}

/** The tenant's roles of these names. @throws UnknownRole where one of them is not there */
export async function rolesNamed(
  { db, tenantId }: Change,
  names: readonly string[],
): Promise<{ readonly id: string; readonly name: string }[]> {
  const roles = await db.role.findMany({
    where: { tenantId, name: { in: [...names] } },
    select: { id: true, name: true },
  })
  if (roles.length !== new Set(names).size) throw new UnknownRole()
  return roles
}
