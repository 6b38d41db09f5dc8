import type { Action } from './actions.ts'
import { type Actor, assuranceLevels, type PolicyContext, type PolicySettings } from './actor.ts'

/** What R-35 calls high-risk: the operations that a production tenant should ask a step-up for. */
export const highRiskActions: readonly Action[] = [
  'key.rotate',
  'role.manage',
  'role.assign',
  'integration.manage',
  'audit.export',
  'order.write',
]

/** And what one administrator could do to everybody else with an unlocked screen. */
const atOthersExpense: readonly Action[] = ['session.manage', 'settings.manage', 'factor.reset', 'password.reset']

/**
 * High-risk operations ask for a proof of the last `maxAgeMs`; 0 asks for none. Of any level: the server takes the second factor
 * of who has one, and who has none can still step up.
 * @param certificateSuffices a session that is bound to a client certificate is asked for nothing
 */
export function withStepUp(maxAgeMs: number, certificateSuffices = false): PolicySettings {
  if (maxAgeMs === 0) return withoutStepUp
  const actions = new Set<Action>([...highRiskActions, ...atOthersExpense])
  return { stepUp: { actions, maxAgeMs, level: 'aal1', certificateSuffices } }
}

/** No operation needs step-up. */
export const withoutStepUp: PolicySettings = {
  stepUp: { actions: new Set(), maxAgeMs: 0, level: 'aal2', certificateSuffices: false },
}

/**
 * Until when the actor’s last proof of who they are serves for `action` (R-20, RFC 9470 §4: `max_age` and `acr_values`):
 * infinity where none is asked for, minus infinity where it was too weak.
 */
export function steppedUpUntil(actor: Actor, action: Action, { policy: { stepUp } }: PolicyContext): number {
  if (!stepUp.actions.has(action)) return Number.POSITIVE_INFINITY
  if (stepUp.certificateSuffices && actor.mtls) return Number.POSITIVE_INFINITY
  const required = levels.indexOf(stepUp.level)
  const strongEnough = required >= 0 && levels.indexOf(actor.acr) >= required
  return strongEnough ? actor.authTime + stepUp.maxAgeMs : Number.NEGATIVE_INFINITY
}

const levels: readonly string[] = assuranceLevels
