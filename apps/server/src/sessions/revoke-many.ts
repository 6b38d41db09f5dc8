import { type AuditFact, auditId, auditSecretId } from '../audit/event.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor, refuse } from '../http/decide.ts'
import type { Database } from '../storage/open.ts'
import type { Change } from '../storage/transaction.ts'
import { MAX_TOKEN_LIFE_MS } from './access-token.ts'
import { endSessions } from './end.ts'

const action = 'session.manage'

/** Ends every sign-in of a person, who may sign in again. @returns how many @throws Refusal */
export async function endSessionsOfUser(ctx: Context, caller: Caller, user: string): Promise<number> {
  const { tenant } = caller.actor
  const about = { user: auditId(user) }
  if (!(await isUser(ctx, tenant, user))) {
    return refuse(ctx, caller, new Refusal('not-found', 'not-found'), action, about)
  }
  await decideFor(ctx, caller, action, { kind: 'session', tenant, owner: user }, about)
  const ended = await ctx.database.withTenant(tenant, async (tx) => {
    const each = await endSessions(tx, { user }, 'revoked')
    const outcome = each.count > 0 ? 'allowed' : 'repeated'
    tx.audit({ ...caller.trail, ...about, action, outcome, reason: 'revoked', count: each.count })
    return each
  })
  ctx.sessions.changed(tenant, user, ended.version)
  await ctx.access.settled(tenant, user)
  return ended.count
}

/** Ends every sign-in of the organisation, the asker's own included: when nobody knows whose are good. @throws Refusal */
export async function endSessionsOfTenant(ctx: Context, caller: Caller): Promise<number> {
  const { tenant, user } = caller.actor
  await decideFor(ctx, caller, action, { kind: 'session', tenant, owner: user })
  const { count, version } = await endAllSessions(ctx.database, tenant, { ...caller.trail, action })
  ctx.access.tenantChanged(tenant)
  ctx.bus.publish({ k: 'tenant', t: tenant, v: version })
  await ctx.access.tenantSettled(tenant)
  return count
}

/**
 * The same by whoever may; audited as `fact`. Nodes that are not told find it when they poll.
 * @returns how many, and the tenant's new version
 */
export async function endAllSessions(
  database: Pick<Database, 'withTenant'>,
  tenant: string,
  fact: Omit<AuditFact, 'outcome' | 'reason' | 'count'>,
): Promise<{ count: number; version: number }> {
  return database.withTenant(tenant, async ({ db, tenantId, at, audit }: Change) => {
    // Every user's row first: a sign-in that has begun is wholly before this, and ends with the others.
    await db.user.updateMany({ where: { tenantId }, data: { version: { increment: 1 } } })
    const data = { endedAt: new Date(at), endReason: 'revoked' }
    const { count } = await db.session.updateMany({ where: { tenantId, endedAt: null }, data })
    await db.signInChallenge.deleteMany({ where: { tenantId } })
    const where = { id: tenantId }
    const { version } = await db.tenant.update({
      where,
      data: { version: { increment: 1 } },
      select: { version: true },
    })
    audit({ ...fact, outcome: 'allowed', reason: 'revoked', count })
    return { count, version }
  })
}

/** Those of a person, by name. @returns how many; null where there is no such person */
export async function endSessionsOfNamed(
  database: Pick<Database, 'withTenant' | 'readTenant'>,
  tenant: string,
  username: string,
  fact: Omit<AuditFact, 'outcome' | 'reason' | 'count'>,
): Promise<number | null> {
  const found = await database.readTenant(tenant, (db) =>
    db.user.findUnique({ where: { tenantId_username: { tenantId: tenant, username } }, select: { id: true } }),
  )
  if (found === null) return null
  return database.withTenant(tenant, async (tx) => {
    const { count } = await endSessions(tx, { user: found.id }, 'revoked')
    tx.audit({ ...fact, outcome: 'allowed', reason: 'revoked', user: auditId(found.id), count })
    return count
  })
}

/** Revokes one access token by its `jti`: its session lives, and whoever can renew it gets another. @throws Refusal */
export async function revokeTokenOf(ctx: Context, caller: Caller, user: string, jti: string): Promise<void> {
  const { tenant } = caller.actor
  const about = { user: auditId(user), subject: auditSecretId(jti) }
  if (!(await isUser(ctx, tenant, user))) {
    return refuse(ctx, caller, new Refusal('not-found', 'not-found'), action, about)
  }
  await decideFor(ctx, caller, action, { kind: 'session', tenant, owner: user }, about)
  const version = await ctx.database.withTenant(tenant, (tx) =>
    revokeToken(tx, { user, jti, expiresAt: tx.at + MAX_TOKEN_LIFE_MS }, { ...caller.trail, ...about }),
  )
  ctx.sessions.changed(tenant, user, version)
  await ctx.access.settled(tenant, user)
}

/** Within the caller's transaction. @returns the user's new version */
export async function revokeToken(
  { db, tenantId, at, audit }: Change,
  { user, jti, expiresAt }: { readonly user: string; readonly jti: string; readonly expiresAt: number },
  trail: Partial<AuditFact>,
): Promise<number> {
  const { version } = await db.user.update({
    where: { tenantId_id: { tenantId, id: user } },
    data: { version: { increment: 1 } },
    select: { version: true },
  })
  await db.revokedToken.deleteMany({ where: { tenantId, userId: user, expiresAt: { lte: new Date(at) } } })
  const row = { tenantId, jti, userId: user, revokedAt: new Date(at), expiresAt: new Date(expiresAt) }
  const { count } = await db.revokedToken.createMany({ data: [row], skipDuplicates: true })
  audit({ ...trail, action: 'token.revoke', outcome: count > 0 ? 'allowed' : 'repeated', reason: 'revoked' })
  return version
}

async function isUser(ctx: Context, tenantId: string, id: string): Promise<boolean> {
  const row = await ctx.database.readTenant(tenantId, (db) =>
    db.user.findUnique({ where: { tenantId_id: { tenantId, id } }, select: { id: true } }),
  )
  return row !== null
}
