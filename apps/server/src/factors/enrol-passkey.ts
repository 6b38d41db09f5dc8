import type { PasskeyAttestation, PasskeyCreation } from '@wardline/protocol'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { refuse } from '../http/decide.ts'
import { changeFactors, requireFresh, requireFreshFactor, strengthen } from './factor-change.ts'
import { hasSecondFactor } from './held.ts'
import { CHALLENGE_MS } from './passkey-challenges.ts'
import { describePasskeys, insertPasskey, MAX_PASSKEYS } from './passkey-rows.ts'
import { amrOfPasskey, proverOf } from './prove-factor.ts'
import { firstRecoveryCodes } from './recovery-rows.ts'
import { userHandleOf } from './user-handle.ts'
import { ALGORITHMS, verifyAttestation } from './webauthn.ts'

/** What the browser is to make a passkey of. Nothing is kept of it until `confirmPasskey`. @throws Refusal */
export async function enrolPasskey(ctx: Context, caller: Caller): Promise<PasskeyCreation> {
  const { tenant: tenantId, user: userId } = caller.actor
  await requireRight(ctx, caller)
  const { rpId } = ctx.site
  if (rpId === null) return refuse(ctx, caller, new Refusal('conflict', 'passkey'), 'factor.enrol')
  const exclude = await ctx.database.readTenant(tenantId, (db) => describePasskeys(db, tenantId, userId))
  const { trail } = caller
  await ctx.database.auditOnly(tenantId, { ...trail, action: 'account.change', outcome: 'allowed', reason: 'own' })
  const { username, displayName, tenant } = caller.snapshot.profile
  return {
    challenge: ctx.passkeys.issue({ use: 'enrol', ...proverOf(caller) }),
    rpId,
    timeoutMs: CHALLENGE_MS,
    user: { id: userHandleOf(tenantId, userId), name: `${username}@${tenant.slug}`, displayName },
    algorithms: [...ALGORITHMS],
    exclude,
  }
}

/**
 * Keeps the passkey that the browser has made; from then on a password alone opens nothing.
 * @returns recovery codes, in the clear for this once; none where the person has some
 * @throws Refusal `invalid` with `why: passkey-wrong`; `conflict` for one that is known, or one too many
 */
export async function confirmPasskey(ctx: Context, caller: Caller, given: PasskeyAttestation): Promise<string[]> {
  const { user: userId } = caller.actor
  await requireRight(ctx, caller)
  const { site, passkeys: challenges } = ctx
  const made = await verifyAttestation({ site, challenges }, given, { use: 'enrol', ...proverOf(caller) })
  if (typeof made === 'string') {
    const wrong = new Refusal('invalid', made, { why: 'passkey-wrong', fields: ['/passkey'] })
    return refuse(ctx, caller, wrong, 'factor.enrol')
  }
  return changeFactors(ctx, caller, 'factor.enrol', async (tx) => {
    const held = await tx.db.passkey.count({ where: { tenantId: tx.tenantId, userId, removedAt: null } })
    if (held >= MAX_PASSKEYS) throw new Refusal('conflict', 'conflict')
    await insertPasskey(tx, userId, made, given.transports)
    await strengthen(tx, caller, amrOfPasskey(made.synced))
    return firstRecoveryCodes(tx, userId)
  })
}

/** The first factor follows from the password; another from the one that is there. */
async function requireRight(ctx: Context, caller: Caller): Promise<void> {
  const { tenant, user } = caller.actor
  const require = (await hasSecondFactor(ctx, tenant, user)) ? requireFreshFactor : requireFresh
  await require(ctx, caller, 'factor.enrol')
}
