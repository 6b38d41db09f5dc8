import type { Action } from './actions.ts'
import type { Permission } from './permissions.ts'
import type { Scopes } from './scopes.ts'

/** NIST SP 800-63B authenticator assurance: one factor, two, two with a hardware key that resists phishing. Weakest first. */
export const assuranceLevels = ['aal1', 'aal2', 'aal3'] as const
export type AssuranceLevel = (typeof assuranceLevels)[number]

/** One assignment to a patient’s care team, from `startsAt` until before `endsAt`; `null` is open-ended. Milliseconds of the epoch. */
export interface Assignment {
  readonly startsAt: number
  readonly endsAt: number | null
}

/** What the store says of a user now: the live half of an actor, reloaded when the user’s version moves. */
export interface ActorAccess {
  readonly tenant: string
  readonly user: string
  readonly kind: 'person' | 'service'
  readonly status: 'active' | 'disabled'
  /** Names of the roles held, as in `RoleResource.name`. */
  readonly roles: ReadonlySet<string>
  /** The union of what those roles give (`permissionsOf`). */
  readonly permissions: ReadonlySet<Permission>
  /** By patient: current and coming assignments; past ones may be left out, or kept for a better reason code. */
  readonly careTeam: ReadonlyMap<string, readonly Assignment[]>
  /** By channel: the groups, direct conversations and broadcast lists that the user belongs to. Who has left is not in it. */
  readonly memberships: ReadonlyMap<string, { readonly joinedAt: number }>
  /** By patient: the emergency access that the user has opened, lasting until before `until`. */
  readonly emergencyAccess: ReadonlyMap<string, { readonly until: number }>
}

/** What the verified token of this session says: the half of an actor that bounds the other from above. */
export interface ActorCredentials {
  readonly scopes: Scopes
  /** When a person last proved who they are, milliseconds of the epoch (`auth_time` × 1000). */
  readonly authTime: number
  /** How strongly (`acr`). An unknown value counts as weaker than any. */
  readonly acr: string
  /** Whether the session is bound to a client certificate (RFC 8705). */
  readonly mtls: boolean
}

/** Who asks: `{ ...access, ...credentials }`. */
export type Actor = ActorAccess & ActorCredentials

/** Which operations need a recent strong factor (R-20, R-35; RFC 9470). */
export interface StepUpPolicy {
  readonly actions: ReadonlySet<Action>
  /** How long one proof serves. */
  readonly maxAgeMs: number
  readonly level: AssuranceLevel
  /** Whether a session bound to a client certificate needs no step-up. */
  readonly certificateSuffices: boolean
}

export interface PolicySettings {
  readonly stepUp: StepUpPolicy
}

/** What is neither actor nor resource. `now`: milliseconds of the epoch; the policy has no clock of its own. */
export interface PolicyContext {
  readonly now: number
  readonly policy: PolicySettings
}
