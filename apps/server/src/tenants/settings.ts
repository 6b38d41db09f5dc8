import type { PolicySettings } from '@wardline/policy'
import type { TenantSettings } from '@wardline/protocol'
import type { Config } from '../config.ts'

/** What the installation allows at most, whatever a tenant sets. */
export type Ceilings = Pick<Config, 'sessionMs' | 'accessTokenSeconds' | 'stepUpMs'>

/** A tenant's settings as they are in force: its own, under the installation's. */
export function inForce(own: TenantSettings, { sessionMs, accessTokenSeconds, stepUpMs }: Ceilings): TenantSettings {
  return {
    ...own,
    sessionSeconds: Math.min(own.sessionSeconds, Math.floor(sessionMs / 1000)),
    accessTokenSeconds: Math.min(own.accessTokenSeconds, accessTokenSeconds),
    stepUpSeconds: stepUpMs === 0 ? own.stepUpSeconds : Math.min(own.stepUpSeconds, Math.floor(stepUpMs / 1000)),
  }
}

/**
 * The policy of a tenant: the installation's, with the tenant's age of a step-up where that is stricter. An installation that
 * asks for none (WARDLINE_STEP_UP_MINUTES=0) asks for none anywhere.
 */
export function policyOf(policy: PolicySettings, { stepUpSeconds }: TenantSettings): PolicySettings {
  const { stepUp } = policy
  const maxAgeMs = stepUpSeconds * 1000
  return stepUp.maxAgeMs <= maxAgeMs ? policy : { ...policy, stepUp: { ...stepUp, maxAgeMs } }
}
