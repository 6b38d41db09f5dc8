import type { By } from '../audit/by.ts'
import { auditId } from '../audit/event.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor, refuse } from '../http/decide.ts'
import { endSessions } from '../sessions/end.ts'
import type { Database } from '../storage/open.ts'
import type { Change } from '../storage/transaction.ts'
import { takeUser } from './factor-change.ts'
import { countFactors } from './held.ts'
import { voidPasskeys } from './passkey-rows.ts'
import { voidRecoveryCodes } from './recovery-rows.ts'
import { type Factors, voidTotps } from './totp-rows.ts'

/**
 * Takes all factors of somebody else away who has lost them: an administrator's act, after a step-up. All their
 * sessions end; where a role of theirs demands a factor, they enrol one at their next sign-in. @throws Refusal
 */
export async function resetFactors(ctx: Context, caller: Caller, userId: string): Promise<void> {
  const { tenant } = caller.actor
  const about = { user: auditId(userId) }
  const action = 'factor.reset'
  const where = { tenantId_id: { tenantId: tenant, id: userId } }
  const there = await ctx.database.readTenant(tenant, (db) => db.user.findUnique({ where, select: { id: true } }))
  if (there === null) return refuse(ctx, caller, new Refusal('not-found', 'not-found'), action, about)
  await decideFor(ctx, caller, action, { kind: 'user', tenant, id: userId }, about)
  const { version } = await ctx.database.withTenant(tenant, (tx) => reset(ctx, tx, userId, caller.trail))
  ctx.sessions.changed(tenant, userId, version)
  await ctx.access.settled(tenant, userId)
}

/**
 * The same by the operator at the machine: for the only administrator of an organisation. Running servers find it within their
 * poll. @returns how many factors there were; null where there is no such user
 */
export async function resetFactorsOfNamed(
  { database, keyring }: { readonly database: Database } & Factors,
  tenantId: string,
  username: string,
  by: By,
): Promise<number | null> {
  const where = { tenantId_username: { tenantId, username } }
  const user = await database.readTenant(tenantId, (db) => db.user.findUnique({ where, select: { id: true } }))
  if (user === null) return null
  return (await database.withTenant(tenantId, (tx) => reset({ keyring }, tx, user.id, by))).count
}

/** Within the caller's transaction, which has taken the user's row. @returns how many there were */
export async function takeFactors(factors: Factors, tx: Change, userId: string): Promise<number> {
  const count = await countFactors(tx.db, tx.tenantId, userId)
  await voidTotps(factors, tx, userId, 'all')
  await voidPasskeys(tx, userId)
  await voidRecoveryCodes(tx, userId)
  return count
}

async function reset(
  factors: Factors,
  tx: Change,
  userId: string,
  by: By,
): Promise<{ count: number; version: number }> {
  await takeUser(tx, userId)
  const count = await takeFactors(factors, tx, userId)
  const { version } = await endSessions(tx, { user: userId }, 'factor-changed')
  tx.audit({ ...by, user: auditId(userId), action: 'factor.reset', outcome: 'allowed', reason: 'role', count })
  return { count, version }
}
