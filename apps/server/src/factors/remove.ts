import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { refuse } from '../http/decide.ts'
import type { Change } from '../storage/transaction.ts'
import { changeFactors, requireFreshFactor } from './factor-change.ts'
import { countFactors } from './held.ts'
import { replaceRecoveryCodes, voidRecoveryCodes } from './recovery-rows.ts'

/**
 * Takes one of the caller's factors away; with the last of them go the recovery codes.
 * @throws Refusal `conflict` with `why: factor-needed` for the last one of who needs one
 */
export async function removeFactor(ctx: Context, caller: Caller, id: string): Promise<void> {
  const { tenant: tenantId, user: userId } = caller.actor
  const action = 'factor.remove'
  await requireFreshFactor(ctx, caller, action)
  const where = { tenantId, id, userId, removedAt: null }
  const there = await ctx.database.readTenant(
    tenantId,
    async (db) =>
      (await db.passkey.count({ where })) +
      (await db.secondFactor.count({ where: { ...where, confirmedAt: { not: null } } })),
  )
  if (there === 0) return refuse(ctx, caller, new Refusal('not-found', 'not-found'), action)
  try {
    await changeFactors(ctx, caller, action, async (tx) => {
      await removeOne(ctx, tx, userId, id)
      if ((await countFactors(tx.db, tenantId, userId)) > 0) return
      if (await needsFactor(tx, userId)) throw new Refusal('conflict', 'no-second-factor', { why: 'factor-needed' })
      await voidRecoveryCodes(tx, userId)
    })
  } catch (error) {
    if (error instanceof Refusal) return refuse(ctx, caller, error, action)
    throw error
  }
}

async function removeOne(ctx: Context, tx: Change, userId: string, id: string): Promise<void> {
  const { db, tenantId, at } = tx
  const where = { tenantId, id, userId, removedAt: null }
  const removedAt = new Date(at)
  const passkeys = await db.passkey.updateMany({ where, data: { removedAt } })
  const totps = await db.secondFactor.updateManyAndReturn({
    where: { ...where, confirmedAt: { not: null } },
    data: { removedAt },
    select: { dataKeyId: true },
  })
  for (const { dataKeyId } of totps) await ctx.keyring.destroyDataKey(tx, tenantId, dataKeyId)
  if (passkeys.count + totps.length === 0) throw new Refusal('not-found', 'not-found')
}

async function needsFactor({ db, tenantId }: Change, userId: string): Promise<boolean> {
  return (await db.userRole.count({ where: { tenantId, userId, role: { requireSecondFactor: true } } })) > 0
}

/** Recovery codes anew, in place of those that are left. @throws Refusal `conflict` for who has no factor to recover from */
export async function renewRecoveryCodes(ctx: Context, caller: Caller): Promise<string[]> {
  const { user: userId } = caller.actor
  const action = 'factor.recovery-codes'
  await requireFreshFactor(ctx, caller, action)
  return changeFactors(ctx, caller, action, (tx) => replaceRecoveryCodes(tx, userId))
}
