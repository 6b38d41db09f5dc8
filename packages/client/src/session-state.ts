import type { LoginAnswer, SignedInUser } from '@wardline/protocol'
import type { Storage } from './csrf-store.ts'
import type { Environment } from './environment.ts'
import type { WardlineError } from './error.ts'
import type { OnFault } from './fault.ts'
import type { Http } from './http.ts'
import type { Proofs } from './proof.ts'
import type { Locks, Tabs } from './tabs.ts'

/**
 * Why nobody is signed in any more. `elsewhere`: signed out in another tab. `expired`: the server takes the refresh no
 * longer. `revoked`: session, user or device were ended by somebody else. `other-user`: another tab signed in as another
 * person, and the browser has but one cookie.
 */
export type EndReason = 'signed-out' | 'elsewhere' | 'expired' | 'revoked' | 'other-user'

export type SessionState =
  | { readonly is: 'signed-out'; readonly reason: EndReason | null }
  /** `expiresAt`: of the access token, in milliseconds by this machine's clock. It is renewed when used. */
  | {
      readonly is: 'signed-in'
      readonly user: SignedInUser
      readonly expiresAt: number
      readonly warning: SessionWarning | null
    }
  /** Signed in, and nothing can be asked until `unlock`. */
  | { readonly is: 'locked'; readonly user: SignedInUser; readonly why: LockedWhy | null }

/** When the session is locked for idling, or ends, in milliseconds by this machine's clock. */
export type SessionWarning = { readonly reason: 'idle' | 'end'; readonly at: number }
/** Nobody was there, its person went away, or who it is has to be shown again. */
export type LockedWhy = 'idle' | 'own' | 'risk'

export type SessionEvents = {
  changed: SessionState
  'signed-in': SignedInUser
  refreshed: SignedInUser
  locked: SignedInUser
  unlocked: SignedInUser
  ended: EndReason
}

export type SignIn = { tenant: string; username: string; password: string }
export type SignInResult =
  | { status: 'signed-in'; user: SignedInUser }
  | Extract<LoginAnswer, { status: 'second-factor' }>

/** What a session needs of the world. */
export type SessionDeps = {
  env: Pick<Environment, 'now' | 'setTimer'>
  http: Http
  proofs: Proofs
  storage: Storage
  tabs: Tabs
  locks: Locks
  onFault: OnFault
}

/** Why a call was refused with `locked`, where the server says so. */
export function lockedWhyOf({ why }: WardlineError): LockedWhy | null {
  switch (why) {
    case 'locked-idle':
      return 'idle'
    case 'locked-own':
      return 'own'
    case 'locked-risk':
      return 'risk'
    default:
      return null
  }
}
