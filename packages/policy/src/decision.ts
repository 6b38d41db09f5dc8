/** By what right: a place on the care team, emergency access, membership, one’s role alone, or because it is one’s own. */
export type AllowReason = 'care-team' | 'emergency-access' | 'member' | 'role' | 'own'

/** The closed list of why not: for the audit log and for tests, never for the asker, who is told only the code. */
export type DenyReason =
  | 'malformed'
  | 'disabled'
  | 'tenant-wall'
  | 'people-only'
  | 'no-permission'
  | 'scope'
  | 'no-care-team'
  | 'assignment-not-begun'
  | 'assignment-ended'
  | 'emergency-access-ended'
  | 'not-a-member'
  | 'not-own'
  | 'wrong-channel'
  | 'archived'
  | 'not-sender'
  | 'own-message'
  | 'own-account'
  | 'own-roles'
  | 'own-care-team'
  | 'own-emergency-access'
  | 'system-role'
  | 'step-up'

export type DecisionReason = AllowReason | DenyReason

/** The error code that the asker gets, over HTTP and socket alike; `not-found` wherever it may not be known that there is something. */
export type DenyCode = 'forbidden' | 'not-found' | 'step-up-required' | 'unauthenticated'

export interface Allowed {
  readonly allowed: true
  readonly reason: AllowReason
  /** When this lapses by itself, milliseconds of the epoch: the first moment at which it no longer holds. `null`: not by time alone. */
  readonly until: number | null
}

export interface Denied {
  readonly allowed: false
  readonly code: DenyCode
  readonly reason: DenyReason
}

export type Decision = Allowed | Denied
