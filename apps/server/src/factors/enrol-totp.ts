import { randomUUID } from 'node:crypto'
import type { TotpEnrolment } from '@wardline/protocol'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { refuse } from '../http/decide.ts'
import { changeFactors, requireFresh, requireFreshFactor, strengthen, takeUser } from './factor-change.ts'
import { hasSecondFactor } from './held.ts'
import { firstRecoveryCodes } from './recovery-rows.ts'
import { newTotpSecret, totpStep, totpUri } from './totp.ts'
import { insertTotp, putInForce, voidTotps } from './totp-rows.ts'
import { factorPlace } from './use-factor.ts'

/** A secret that was shown and not confirmed is good for nothing after so long. */
const ENROLMENT_MS = 15 * 60_000

/**
 * Begins with an authenticator app: a secret that opens nothing until `confirmTotp`, which then takes the place of an app that is
 * in force. One that was begun before is void. @throws Refusal
 */
export async function enrolTotp(ctx: Context, caller: Caller): Promise<TotpEnrolment> {
  const { tenant: tenantId, user: userId } = caller.actor
  await requireRight(ctx, caller)
  const secret = newTotpSecret()
  const id = randomUUID()
  await ctx.database.withTenant(tenantId, async (tx) => {
    await takeUser(tx, userId)
    await voidTotps(ctx, tx, userId, 'begun')
    await insertTotp(ctx, tx, { id, userId, secret })
    tx.audit({ ...caller.trail, action: 'account.change', outcome: 'allowed', reason: 'own' })
  })
  const { username, tenant } = caller.snapshot.profile
  return { id, secret, uri: totpUri(secret, `${username}@${tenant.slug}`) }
}

/**
 * Puts the app in force by its first code.
 * @returns recovery codes, in the clear for this once; none where the person has some
 * @throws Refusal `invalid` with `why: code-wrong`; `not-found` where nothing was begun
 */
export async function confirmTotp(ctx: Context, caller: Caller, code: string): Promise<string[]> {
  const { tenant: tenantId, user: userId } = caller.actor
  await requireRight(ctx, caller)
  const since = new Date(ctx.clock.now() - ENROLMENT_MS)
  const pending = await ctx.database.readTenant(tenantId, (db) =>
    db.secondFactor.findFirst({
      where: { tenantId, userId, removedAt: null, confirmedAt: null, createdAt: { gte: since } },
    }),
  )
  if (pending === null) return refuse(ctx, caller, new Refusal('not-found', 'not-found'), 'factor.enrol')
  const secret = await ctx.keyring.open(tenantId, factorPlace(pending.id), pending.sealedSecret)
  const step = totpStep(secret, code, ctx.clock.now())
  if (step === null) {
    const wrong = new Refusal('invalid', 'second-factor', { why: 'code-wrong', fields: ['/code'] })
    return refuse(ctx, caller, wrong, 'factor.enrol')
  }
  return changeFactors(ctx, caller, 'factor.enrol', async (tx) => {
    await voidTotps(ctx, tx, userId, 'in-force')
    await putInForce(tx, pending.id, step)
    await strengthen(tx, caller, ['otp', 'mfa'])
    return firstRecoveryCodes(tx, userId)
  })
}

/** The first factor follows from the password; another, or a new one in its place, from the one that is there. */
async function requireRight(ctx: Context, caller: Caller): Promise<void> {
  const { tenant, user } = caller.actor
  const require = (await hasSecondFactor(ctx, tenant, user)) ? requireFreshFactor : requireFresh
  await require(ctx, caller, 'factor.enrol')
}
