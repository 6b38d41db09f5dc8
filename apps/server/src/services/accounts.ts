import { randomUUID } from 'node:crypto'
import type { changeService, createService, PublicJwk, ServiceAccount } from '@wardline/protocol'
import type { z } from 'zod'
import type { By } from '../audit/by.ts'
import { auditId, auditRole, auditSecretId } from '../audit/event.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor, refuse } from '../http/decide.ts'
import { endSessions } from '../sessions/end.ts'
import { isUniqueViolation } from '../storage/errors.ts'
import type { Prisma } from '../storage/generated/client.ts'
import type { Change, TenantDb } from '../storage/transaction.ts'
import { rolesNamed, UnknownRole } from '../users/create.ts'
import { bareJwk, thumbprintOf } from './key.ts'
import { isServiceScope } from './scope.ts'

const action = 'integration.manage'

const shown = {
  id: true,
  username: true,
  displayName: true,
  createdAt: true,
  disabledAt: true,
  roles: { select: { role: { select: { name: true } } } },
} as const

const keysShown = { where: { removedAt: null }, select: { kid: true, createdAt: true } } as const

/** The programs' accounts of a tenant, by name; one of them where asked so. */
export async function findServices(
  db: TenantDb,
  { id: tenantId, slug }: { readonly id: string; readonly slug: string },
  one?: string,
): Promise<ServiceAccount[]> {
  const rows = await db.user.findMany({
    where: { tenantId, kind: 'service', service: { isNot: null }, ...(one === undefined ? {} : { id: one }) },
    orderBy: { username: 'asc' },
    select: shown,
  })
  // One after the other: of several relations Prisma reads all at once, and a connection reads one at a time.
  const accounts = await db.serviceAccount.findMany({
    where: { tenantId, ...(one === undefined ? {} : { userId: one }) },
    select: { userId: true, scope: true, keys: keysShown },
  })
  const accountOf = new Map(accounts.map((account) => [account.userId, account]))
  return rows.map(({ id, username, displayName, createdAt, disabledAt, roles }) => ({
    id,
    clientId: `${slug}/${username}`,
    username,
    displayName,
    roles: roles.map(({ role }) => role.name).sort(),
    scope: accountOf.get(id)?.scope ?? '',
    keys: (accountOf.get(id)?.keys ?? []).map((key) => ({ kid: key.kid, createdAt: key.createdAt.toISOString() })),
    disabled: disabledAt !== null,
    createdAt: createdAt.toISOString(),
  }))
}

type NewService = {
  readonly username: string
  readonly displayName: string
  readonly roles: readonly string[]
  readonly scope: string
  readonly kid: string
  readonly key: PublicJwk
  readonly by: By
}

/** A program's account within the caller's transaction. @throws UnknownRole; a unique violation where the name is taken */
async function createServiceAccount(tx: Change, service: NewService): Promise<string> {
  const { db, tenantId, audit } = tx
  const { username, displayName, scope, kid, key, by } = service
  const roles = await rolesNamed(tx, service.roles)
  const id = randomUUID()
  await db.user.create({ data: { tenantId, id, username, displayName, kind: 'service' } })
  await db.userRole.createMany({
    data: roles.map((role) => ({ tenantId, userId: id, roleId: role.id, grantedBy: by.actor })),
  })
  await db.serviceAccount.create({ data: { tenantId, userId: id, scope, createdBy: by.actor } })
  await addKey(tx, by, id, kid, key)
  audit({ ...by, action, outcome: 'allowed', user: auditId(id) })
  for (const { name } of roles) {
    audit({ ...by, action: 'role.assign', outcome: 'allowed', user: auditId(id), role: auditRole(name) })
  }
  return id
}

/** @throws Refusal */
export async function addService(
  ctx: Context,
  caller: Caller,
  { username, displayName, roles, scope, key }: z.infer<typeof createService>,
): Promise<ServiceAccount> {
  const { tenant } = caller.actor
  await decideFor(ctx, caller, action, { kind: 'tenant', tenant })
  if (roles.length > 0) await decideFor(ctx, caller, 'role.assign', { kind: 'user', tenant, id: '' })
  const kid = await thumbprintOf(key)
  if (kid === null) return refuse(ctx, caller, wrong('/key'), action)
  if (!isServiceScope(scope)) return refuse(ctx, caller, wrong('/scope'), action)
  const by = caller.trail
  try {
    return await ctx.database.withTenant(tenant, async (tx) => {
      const id = await createServiceAccount(tx, { username, displayName, roles, scope, kid, key, by })
      return required(await findServices(tx.db, caller.snapshot.profile.tenant, id))
    })
  } catch (error) {
    return refuse(ctx, caller, whyNot(error), action)
  }
}

/** Changes what a program may do at most, and its keys. What it may no more, or not by that key, ends at once. @throws Refusal */
export async function changeServiceAccount(
  ctx: Context,
  caller: Caller,
  id: string,
  changes: z.infer<typeof changeService>,
): Promise<ServiceAccount> {
  const { tenant } = caller.actor
  const profile = caller.snapshot.profile.tenant
  const about = { user: auditId(id) }
  const there = await ctx.database.readTenant(tenant, (db) => findServices(db, profile, id))
  await decideFor(ctx, caller, action, { kind: 'tenant', tenant }, about)
  if (there.length === 0) return refuse(ctx, caller, new Refusal('not-found', 'not-found'), action, about)
  const { scope, addKey: added, removeKey } = changes
  const kid = added === undefined ? null : await thumbprintOf(added)
  if (added !== undefined && kid === null) return refuse(ctx, caller, wrong('/addKey'), action, about)
  if (scope !== undefined && !isServiceScope(scope)) return refuse(ctx, caller, wrong('/scope'), action, about)
  try {
    const { account, version } = await ctx.database.withTenant(tenant, async (tx) => {
      const where = { tenantId_userId: { tenantId: tenant, userId: id } }
      const ended = await endSessions(tx, { user: id }, 'revoked')
      if (scope !== undefined) await tx.db.serviceAccount.update({ where, data: { scope } })
      if (added !== undefined && kid !== null) await addKey(tx, caller.trail, id, kid, added)
      if (removeKey !== undefined) await dropKey(tx, caller.trail, id, removeKey)
      tx.audit({ ...caller.trail, ...about, action, outcome: 'allowed', count: ended.count })
      return { account: required(await findServices(tx.db, profile, id)), version: ended.version }
    })
    ctx.sessions.changed(tenant, id, version)
    await ctx.access.settled(tenant, id)
    return account
  } catch (error) {
    return refuse(ctx, caller, whyNot(error), action, about)
  }
}

async function addKey({ db, tenantId, at, audit }: Change, by: By, userId: string, kid: string, key: PublicJwk) {
  const jwk = { ...bareJwk(key) } as Prisma.InputJsonObject
  await db.serviceKey.create({ data: { tenantId, userId, kid, jwk, createdBy: by.actor, createdAt: new Date(at) } })
  audit({ ...by, action: 'key.create', outcome: 'allowed', user: auditId(userId), subject: auditSecretId(kid) })
}

async function dropKey({ db, tenantId, at, audit }: Change, by: By, userId: string, kid: string): Promise<void> {
  const { count } = await db.serviceKey.updateMany({
    where: { tenantId, userId, kid, removedAt: null },
    data: { removedAt: new Date(at) },
  })
  if (count === 0) throw wrong('/removeKey')
  audit({ ...by, action: 'key.destroy', outcome: 'allowed', user: auditId(userId), subject: auditSecretId(kid) })
}

function wrong(field: string): Refusal {
  return new Refusal('invalid', 'schema', { fields: [field] })
}

function required([account]: readonly ServiceAccount[]): ServiceAccount {
  if (account === undefined) throw new Error('an account that was just written is not there')
  return account
}

/** What the asker can mend, as a refusal; anything else goes on as it is. */
function whyNot(error: unknown): Refusal {
  if (error instanceof Refusal) return error
  if (error instanceof UnknownRole) return wrong('/roles')
  if (isUniqueViolation(error)) return new Refusal('conflict', 'conflict')
  throw error
}
