import { auditId } from '../audit/event.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor, refuse } from '../http/decide.ts'
import { endSessions } from '../sessions/end.ts'
import type { Change } from '../storage/transaction.ts'

/** How old the proof of who it is may be for a change of factors (ASVS 7.5.1). */
const FRESH_MS = 10 * 60_000

export type FactorAction = 'factor.enrol' | 'factor.remove' | 'factor.recovery-codes'

/** A change of one's own factors, by whoever has just shown who they are. @throws Refusal `step-up-required` */
export async function requireFresh(ctx: Context, caller: Caller, action: FactorAction): Promise<void> {
  await decideFor(ctx, caller, 'account.change', self(caller))
  if (ctx.clock.now() - caller.actor.authTime > FRESH_MS) await refuseUntilStepUp(ctx, caller, action)
}

/** The same, by more than a password: who holds that alone may not take away what stands between it and the account. */
export async function requireFreshFactor(ctx: Context, caller: Caller, action: FactorAction): Promise<void> {
  await requireFresh(ctx, caller, action)
  if (caller.actor.acr === 'aal1') await refuseUntilStepUp(ctx, caller, action, { acr: 'aal2' })
}

async function refuseUntilStepUp(
  ctx: Context,
  caller: Caller,
  action: FactorAction,
  more: { readonly acr?: 'aal2' } = {},
): Promise<never> {
  return refuse(ctx, caller, new Refusal('step-up-required', 'step-up', { maxAgeMs: FRESH_MS, ...more }), action)
}

/**
 * Runs a change of the caller's factors. Their row is taken first: of two changes of one account, one comes wholly before the
 * other. What was allowed by the factors of before ends, but for the session at hand, and everybody is told.
 */
export async function changeFactors<T>(
  ctx: Context,
  caller: Caller,
  action: FactorAction,
  change: (tx: Change) => Promise<T>,
): Promise<T> {
  const { tenant, user } = caller.actor
  const { changed, version } = await ctx.database.withTenant(tenant, async (tx) => {
    await takeUser(tx, user)
    const result = await change(tx)
    const except = caller.authenticated.claims.sid
    const ended = await endSessions(tx, { user, except }, 'factor-changed')
    tx.audit({
      ...caller.trail,
      action,
      outcome: 'allowed',
      reason: 'own',
      user: auditId(user),
      count: ended.count,
    })
    return { changed: result, version: ended.version }
  })
  ctx.sessions.changed(tenant, user, version)
  await ctx.access.settled(tenant, user)
  return changed
}

export async function takeUser({ db, tenantId }: Change, userId: string): Promise<void> {
  await db.user.update({
    where: { tenantId_id: { tenantId, id: userId } },
    data: { version: { increment: 1 } },
    select: { id: true },
  })
}

/** The session has shown one factor more: from its next token on it says so. @param amr RFC 8176 §2, of that factor */
export async function strengthen({ db, tenantId }: Change, { authenticated }: Caller, amr: readonly string[]) {
  const { sid, amr: shown } = authenticated.claims
  await db.session.updateMany({
    where: { tenantId, id: sid },
    data: { acr: 'aal2', amr: [...new Set([...shown, ...amr])] },
  })
}

export function self({ actor }: Caller) {
  return { kind: 'user', tenant: actor.tenant, id: actor.user } as const
}
