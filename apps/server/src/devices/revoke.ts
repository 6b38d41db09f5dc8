import { auditId, auditSecretId } from '../audit/event.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor, refuse } from '../http/decide.ts'
import { endSessions } from '../sessions/end.ts'
import type { Change } from '../storage/transaction.ts'
import { holdKey } from './register.ts'

type DeviceRow = { readonly id: string; readonly userId: string; readonly jkt: string }
type Revoked = { readonly user: string; readonly version: number }

/**
 * Revokes a device of one's own: every sign-in on it ends, and its key opens nothing of this user's any more. Others who share
 * the machine are not touched. @throws Refusal
 */
export async function revokeOwnDevice(ctx: Context, caller: Caller, id: string): Promise<void> {
  const { tenant } = caller.actor
  const action = 'account.end-session'
  const row = await findDevice(ctx, tenant, id)
  if (row === null) return refuse(ctx, caller, new Refusal('not-found', 'not-found'), action)
  const about = { user: auditId(row.userId) }
  await decideFor(ctx, caller, action, { kind: 'session', tenant, owner: row.userId }, about)
  const revoked = await ctx.database.withTenant(tenant, (tx) => revoke(tx, caller, [row], false))
  await announce(ctx, tenant, revoked)
}

/**
 * Revokes a device for everybody: whoever has signed in with its key is signed out, and nobody of the organisation signs in with
 * it again. @throws Refusal
 */
export async function revokeDevice(ctx: Context, caller: Caller, id: string): Promise<void> {
  const { tenant } = caller.actor
  const action = 'session.manage'
  const row = await findDevice(ctx, tenant, id)
  if (row === null) return refuse(ctx, caller, new Refusal('not-found', 'not-found'), action)
  const about = { user: auditId(row.userId) }
  await decideFor(ctx, caller, action, { kind: 'session', tenant, owner: row.userId }, about)
  const revoked = await ctx.database.withTenant(tenant, async (tx) => {
    await holdKey(tx, row.jkt, 'to bar')
    // Those who lock several users do it in one order.
    const rows = await tx.db.device.findMany({ where: { tenantId: tenant, jkt: row.jkt }, orderBy: { userId: 'asc' } })
    return revoke(tx, caller, rows, true)
  })
  await announce(ctx, tenant, revoked)
}

async function findDevice(ctx: Context, tenantId: string, id: string): Promise<DeviceRow | null> {
  return ctx.database.readTenant(tenantId, (db) => db.device.findUnique({ where: { tenantId_id: { tenantId, id } } }))
}

async function revoke(
  tx: Change,
  { trail }: Caller,
  devices: readonly DeviceRow[],
  barred: boolean,
): Promise<Revoked[]> {
  const { db, tenantId } = tx
  const revoked: Revoked[] = []
  for (const { id, userId, jkt } of devices) {
    // The user's row first, as everybody does who changes sign-ins: one that has begun already is ended with the others.
    const { count, version } = await endSessions(tx, { user: userId, device: id }, 'device-revoked')
    const data = { revokedAt: new Date(tx.at), ...(barred ? { barred } : {}) }
    await db.device.update({ where: { tenantId_id: { tenantId, id } }, data })
    tx.audit({
      ...trail,
      action: 'device.revoke',
      outcome: 'allowed',
      reason: barred ? 'revoked' : 'own',
      user: auditId(userId),
      subject: auditSecretId(jkt),
      count,
    })
    revoked.push({ user: userId, version })
  }
  return revoked
}

async function announce(ctx: Context, tenant: string, revoked: readonly Revoked[]): Promise<void> {
  for (const { user, version } of revoked) ctx.sessions.changed(tenant, user, version)
  await Promise.all(revoked.map(({ user }) => ctx.access.settled(tenant, user)))
}
