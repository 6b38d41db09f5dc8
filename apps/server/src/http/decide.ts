import { type Action, type ActionResources, type Allowed, decide } from '@wardline/policy'
import type { AuditFact } from '../audit/event.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import { policyOf } from '../tenants/settings.ts'
import type { Caller } from './caller.ts'

/** What a refused call was about, for its audit event: ids alone. */
export type About = Omit<AuditFact, 'action' | 'outcome' | 'reason' | keyof Caller['trail']>

/**
 * Asks policy whether the caller may do this, now. A denial is audited with its reason and with what it was about, before it is
 * answered with its code; what is allowed is audited by the act, with what it did. @throws Refusal
 */
export async function decideFor<A extends Action>(
  ctx: Pick<Context, 'clock' | 'policy' | 'database'>,
  caller: Caller,
  action: A,
  resource: ActionResources[A],
  about: About = {},
): Promise<Allowed> {
  const policy = policyOf(ctx.policy, caller.snapshot.settings)
  const decision = decide(caller.actor, action, resource, { now: ctx.clock.now(), policy })
  if (decision.allowed) return decision
  const details = decision.code === 'step-up-required' ? { maxAgeMs: policy.stepUp.maxAgeMs } : {}
  return refuse(ctx, caller, new Refusal(decision.code, decision.reason, details), action, about)
}

/** Audits a refusal and throws it: for what policy is not asked, because there is nothing there or it contradicts what is. */
export async function refuse(
  ctx: Pick<Context, 'database'>,
  caller: Caller,
  refusal: Refusal,
  action: AuditFact['action'],
  about: About = {},
): Promise<never> {
  const { reason } = refusal
  await ctx.database.auditOnly(caller.authenticated.tenant, {
    ...caller.trail,
    ...about,
    action,
    outcome: 'refused',
    reason,
  })
  refusal.audited = true
  throw refusal
}
