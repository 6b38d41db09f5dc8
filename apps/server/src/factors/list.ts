import type { Factors } from '@wardline/protocol'
import type { Context } from '../context.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor } from '../http/decide.ts'
import { self } from './factor-change.ts'

/** The caller's second factors, the oldest first. */
export async function listFactors(ctx: Context, caller: Caller): Promise<Factors> {
  const { tenant: tenantId, user: userId } = caller.actor
  await decideFor(ctx, caller, 'account.read', self(caller))
  const held = { tenantId, userId, removedAt: null }
  const { totps, passkeys, recoveryCodes } = await ctx.database.readTenant(tenantId, async (db) => ({
    totps: await db.secondFactor.findMany({ where: { ...held, confirmedAt: { not: null } } }),
    passkeys: await db.passkey.findMany({ where: held }),
    recoveryCodes: await db.recoveryCode.count({ where: { tenantId, userId, usedAt: null, voidedAt: null } }),
  }))
  const items = [
    ...totps.map((row) => ({ kind: 'totp' as const, ...timesOf(row) })),
    ...passkeys.map((row) => ({ kind: 'passkey' as const, synced: row.synced, ...timesOf(row) })),
  ].sort((a, b) => (a.createdAt < b.createdAt ? -1 : 1))
  const count = items.length
  await ctx.database.auditOnly(tenantId, { ...caller.trail, action: 'account.read', outcome: 'allowed', count })
  return { items, recoveryCodes }
}

function timesOf({ id, createdAt, lastUsedAt }: { id: string; createdAt: Date; lastUsedAt: Date | null }) {
  return { id, createdAt: createdAt.toISOString(), lastUsedAt: lastUsedAt?.toISOString() ?? null }
}
