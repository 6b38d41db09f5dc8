import {
  type AuthenticatedAnswer,
  authenticatedAnswer,
  type LoginAnswer,
  loginAnswer,
  type PasskeyAssertion,
  type PasskeyRequest,
  passkeyRequest,
  type RefreshAnswer,
  refreshAnswer,
  type SecondFactorRequest,
  type SignedInUser,
  type StepUpRequest,
  signedInUser,
} from '@wardline/protocol'
import type { Storage } from './csrf-store.ts'
import { Emitter } from './emitter.ts'
import type { Environment } from './environment.ts'
import { isPassing, WardlineError } from './error.ts'
import type { OnFault } from './fault.ts'
import type { Call, Credentials, Http } from './http.ts'
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

type SessionDeps = {
  env: Pick<Environment, 'now' | 'setTimer'>
  http: Http
  proofs: Proofs
  storage: Storage
  tabs: Tabs
  locks: Locks
  onFault: OnFault
}

/** A token with less life than this, or than a quarter of its own, is renewed before it is used. Milliseconds. */
const MARGIN_MS = 30_000
/** A refresh that is put off for at most this is asked for again at once, so many times. */
const ROTATION_MS = 2_000
const ROTATION_WAITS = 3
const CSRF_KEY = 'wardline-csrf'
const REFRESH_LOCK = 'wardline-refresh'

type Grant = { token: string; expiresAt: number; marginMs: number; user: SignedInUser }

/**
 * Who is signed in, and a fresh token for whoever needs one. No timer renews: the server asks over the socket, and calls
 * renew when they need to. A timer would keep an abandoned workstation signed in.
 */
export class Session {
  readonly #deps: SessionDeps
  readonly #events: Emitter<SessionEvents>
  #grant: Grant | null = null
  /** Set while the session is locked. */
  #lock: { readonly why: LockedWhy | null } | null = null
  #warning: SessionWarning | null = null
  #state: SessionState = { is: 'signed-out', reason: null }
  #refreshing: Promise<Grant> | null = null
  #askStepUp: (() => Promise<boolean>) | null = null
  #steppingUp: Promise<boolean> | null = null
  #leaving: Promise<unknown> = Promise.resolve()
  /** How a program gets its tokens, which has no cookie. */
  #assert: ((http: Http) => Promise<RefreshAnswer>) | null = null
  readonly #leaveTabs: () => void

  constructor(deps: SessionDeps) {
    this.#deps = deps
    this.#events = new Emitter(deps.onFault)
    this.#leaveTabs = deps.tabs.onMessage((message) => {
      if (this.#grant === null) return
      if (message.kind === 'signed-out') this.end('elsewhere')
      else if (message.kind === 'signed-in') {
        if (message.user !== this.#grant.user.id) this.end('other-user')
      } else if (message.kind === 'locked') this.#lockNow(null, false)
      else if (message.kind === 'unlocked') this.#unlockNow()
    })
  }

  get state(): SessionState {
    return this.#state
  }

  get user(): SignedInUser | null {
    return this.#grant?.user ?? null
  }

  on<K extends keyof SessionEvents>(name: K, run: (value: SessionEvents[K]) => void): () => void {
    return this.#events.on(name, run)
  }

  /** Calls back whenever `state` is another. */
  readonly subscribe = (run: () => void): (() => void) => this.#events.on('changed', run)

  /** Signs in; a second factor is handed to the caller. Throws WardlineError: `unauthenticated` for a wrong password. */
  async signIn(credentials: SignIn): Promise<SignInResult> {
    if (this.#grant !== null) void this.signOut()
    // The answer to a sign-out takes the cookie away: it must not be the one that this sign-in brings.
    await this.#leaving
    const answer = await this.#deps.http.send(
      { method: 'POST', path: '/auth/login', body: credentials, answer: loginAnswer, cookie: true },
      { csrfToken: this.#csrfToken() },
    )
    if (answer.status === 'second-factor') return answer
    return { status: 'signed-in', user: this.#begin(answer).user }
  }

  /**
   * The second half of a sign-in. Throws WardlineError `unauthenticated`: with `why` it was the code, and another may be tried;
   * without, the challenge is over, and the sign-in begins anew.
   */
  async secondFactor(answer: SecondFactorRequest): Promise<SignedInUser> {
    const granted = await this.#deps.http.send(
      { method: 'POST', path: '/auth/second-factor', body: answer, answer: authenticatedAnswer, cookie: true },
      { csrfToken: this.#csrfToken() },
    )
    return this.#begin(granted).user
  }

  /** What to ask an authenticator for, before anybody has said who they are: good once, for `timeoutMs`, on this device. */
  async passkeyOptions(): Promise<PasskeyRequest> {
    return this.#deps.http.send({ method: 'POST', path: '/auth/passkey/options', answer: passkeyRequest }, {})
  }

  /** Signs in by a passkey alone: its answer to `passkeyOptions`. Throws WardlineError `unauthenticated`. */
  async signInWithPasskey(passkey: PasskeyAssertion): Promise<SignedInUser> {
    if (this.#grant !== null) void this.signOut()
    await this.#leaving
    const path = '/auth/passkey'
    const granted = await this.#deps.http.send(
      { method: 'POST', path, body: { passkey }, answer: authenticatedAnswer, cookie: true },
      { csrfToken: this.#csrfToken() },
    )
    return this.#begin(granted).user
  }

  /** Asks who the person is by now, by a new token: after what changes that, as enrolling a second factor does. */
  async renew(): Promise<SignedInUser> {
    if (this.#grant === null) throw new WardlineError('unauthenticated')
    return (await this.#refresh()).user
  }

  /**
   * Signs a program in: `assert` fetches a token, now and whenever another is needed. Throws WardlineError: `unauthenticated` where
   * the server does not know it.
   */
  async signInByAssertion(assert: (http: Http) => Promise<RefreshAnswer>): Promise<SignedInUser> {
    const answer = await assert(this.#deps.http)
    this.#assert = assert
    return this.#begin({ status: 'authenticated', ...answer }).user
  }

  /**
   * Takes up the sign-in of an earlier page, or another tab, by the refresh cookie. Null when there is none. Throws
   * WardlineError only where asking again can help (`unavailable`, `rate-limited`).
   */
  async restore(): Promise<SignedInUser | null> {
    if (this.#grant !== null) return this.#grant.user
    if (this.#csrfToken() === undefined) return null
    try {
      return (await this.#refresh()).user
    } catch (error) {
      if (isPassing(error)) throw error
      return null
    }
  }

  /** Ends the session: here and in the other tabs at once and in any case. `reached`: whether the server knows it too. */
  signOut(): Promise<{ reached: boolean }> {
    const grant = this.#grant
    // A token that has run out is not renewed for this: the cookie and its proof do as well.
    const token = grant !== null && grant.expiresAt > this.#deps.env.now() ? grant.token : undefined
    const credentials = { token, csrfToken: this.#csrfToken() }
    // First here: the server closes the sockets before it answers, and nobody is to be told that they were thrown out.
    this.end('signed-out')
    const leaving = this.#logOut(credentials)
    this.#leaving = leaving
    return leaving
  }

  async #logOut(credentials: Credentials): Promise<{ reached: boolean }> {
    try {
      await this.#deps.http.send({ method: 'POST', path: '/auth/logout', answer: null, cookie: true }, credentials)
      return { reached: true }
    } catch (error) {
      // "You are not signed in" is what was wanted.
      if (error instanceof WardlineError && error.code === 'unauthenticated') return { reached: true }
    }
    // The cookie is out of a script's reach. Without the key that it is bound to, it is of no use to the next person here.
    await this.#deps.proofs.forget().catch((error: unknown) => this.#deps.onFault({ kind: 'storage', error }))
    return { reached: false }
  }

  /** A token that is good for a while yet; renewed first where it is not. Throws WardlineError `unauthenticated`. */
  async accessToken(): Promise<string> {
    const grant = this.#grant
    if (grant === null) throw new WardlineError('unauthenticated')
    if (grant.expiresAt - this.#deps.env.now() > grant.marginMs) return grant.token
    return (await this.#refresh()).token
  }

  /**
   * A token other than `used`, and good for a while yet: one that another caller has fetched already, or a new one. With
   * `always`, one that is issued from now on.
   */
  async renewedToken(used: string, always = false): Promise<string> {
    if (this.#grant === null) throw new WardlineError('unauthenticated')
    if (!always && this.#grant.token !== used) return this.accessToken()
    return (await this.#refresh()).token
  }

  /**
   * Shows anew who it is, in the session that goes on. Throws WardlineError `invalid` with `why` where it was wrong, and
   * `step-up-required` for a password where the account has a second factor.
   */
  async stepUp(given: StepUpRequest): Promise<void> {
    const path = '/auth/step-up'
    const before = this.#grant
    const answer = await this.#callOnce({ method: 'POST', path, body: given, answer: refreshAnswer })
    // Signed out meanwhile, or another person's session by now: the token is nobody's.
    if (before?.user.id === answer.user.id && this.#grant?.user.id === answer.user.id) this.#take(answer)
  }

  /** Goes away from the screen. `reached`: whether the server could be told; here and in the other tabs it is locked in any case. */
  async lock(): Promise<{ reached: boolean }> {
    const grant = this.#grant
    if (grant === null || this.#lock !== null) return { reached: true }
    const telling = this.#callOnce<void>({ method: 'POST', path: '/auth/lock', answer: null })
    this.#lockNow('own', true)
    return telling.then(
      () => ({ reached: true }),
      () => ({ reached: false }),
    )
  }

  /** Opens the session. Throws WardlineError: with `why` it was wrong; `step-up-required` where a password is not enough. */
  async unlock(given: StepUpRequest): Promise<void> {
    const before = this.#grant
    const call: Call<RefreshAnswer> = { method: 'POST', path: '/auth/unlock', body: given, answer: refreshAnswer }
    const answer = await this.#callOnce(call)
    if (before?.user.id !== answer.user.id || this.#grant?.user.id !== answer.user.id) return
    this.#take(answer)
    this.#deps.tabs.post({ kind: 'unlocked' })
    this.#unlockNow()
  }

  /** What to ask the browser for a passkey with, to unlock by it. Throws WardlineError `not-found` where there is none. */
  askToUnlock(): Promise<PasskeyRequest> {
    return this.#callOnce({ method: 'POST', path: '/auth/step-up/options', answer: passkeyRequest })
  }

  /** The server has closed the line because the session is locked: asks why, and finds out where it is open again by now. */
  lockedElsewhere(): void {
    this.#lockNow(null, false)
    void this.#askWhyLocked()
  }

  /** Nobody has been at this screen for too long, and the server cannot be reached. */
  lockHere(): void {
    this.#lockNow('idle', true)
  }

  /** The server says when it locks or ends the session; null: not after all. */
  warned(warning: SessionWarning | null): void {
    // That the session ends is not taken back by somebody's being there.
    if (warning === null && this.#warning?.reason === 'end') return
    this.#warning = warning
    if (this.#state.is === 'signed-in') this.#setState({ ...this.#state, warning })
  }

  /**
   * Who is asked where a call is refused with `step-up-required`: true once `stepUp` has succeeded, and the call is made once
   * more; false, and the refusal is the caller's. Several refused at once ask once.
   */
  onStepUp(ask: () => Promise<boolean>): () => void {
    this.#askStepUp = ask
    return () => {
      if (this.#askStepUp === ask) this.#askStepUp = null
    }
  }

  /** Makes a call as the person who is signed in, with a step-up where it needs one and somebody can be asked. */
  async call<T>(call: Call<T>): Promise<T> {
    if (this.#lock !== null) throw new WardlineError('locked')
    try {
      return await this.#callOnce(call)
    } catch (error) {
      if (error instanceof WardlineError && error.code === 'locked') this.#lockNow(whyOf(error), false)
      if (!(error instanceof WardlineError) || error.code !== 'step-up-required' || this.#askStepUp === null)
        throw error
      this.#steppingUp ??= this.#askStepUp().finally(() => {
        this.#steppingUp = null
      })
      if (!(await this.#steppingUp)) throw error
    }
    return this.#callOnce(call)
  }

  /** Where the token is refused, renews it and asks once more. */
  async #callOnce<T>(call: Call<T>): Promise<T> {
    const token = await this.accessToken()
    try {
      return await this.#deps.http.send(call, { token, csrfToken: this.#csrfToken() })
    } catch (error) {
      if (!(error instanceof WardlineError) || error.code !== 'unauthenticated') throw error
    }
    const renewed = await this.renewedToken(token)
    return this.#deps.http.send(call, { token: renewed, csrfToken: this.#csrfToken() })
  }

  /** Ends it here without asking the server: it has said so, or another tab has. */
  end(reason: EndReason): void {
    if (this.#grant === null && this.#state.is === 'signed-out') {
      this.#deps.storage.remove(CSRF_KEY)
      return
    }
    this.#grant = null
    this.#lock = null
    this.#warning = null
    // The others' token belongs to the sign-in that replaced this one.
    if (reason !== 'other-user' && reason !== 'elsewhere') this.#deps.storage.remove(CSRF_KEY)
    if (reason === 'signed-out') this.#deps.tabs.post({ kind: 'signed-out' })
    this.#setState({ is: 'signed-out', reason })
    this.#events.emit('ended', reason)
  }

  close(): void {
    this.#leaveTabs()
    this.#deps.tabs.close()
  }

  #csrfToken(): string | undefined {
    return this.#deps.storage.get(CSRF_KEY) ?? undefined
  }

  #begin(answer: AuthenticatedAnswer): Grant {
    const grant = this.#take(answer)
    this.#deps.tabs.post({ kind: 'signed-in', user: grant.user.id })
    this.#events.emit('signed-in', grant.user)
    return grant
  }

  /** One at a time in this tab, and by the lock in all of them. */
  #refresh(): Promise<Grant> {
    this.#refreshing ??= this.#deps.locks
      .request(REFRESH_LOCK, () => this.#refreshNow())
      .finally(() => {
        this.#refreshing = null
      })
    return this.#refreshing
  }

  async #refreshNow(): Promise<Grant> {
    const before = this.#grant
    let answer: RefreshAnswer
    try {
      answer = await this.#askForRefresh()
    } catch (error) {
      if (!isPassing(error)) this.end('expired')
      throw error
    }
    if (before !== this.#grant) throw new WardlineError('unauthenticated')
    if (before !== null && before.user.id !== answer.user.id) {
      this.end('other-user')
      throw new WardlineError('unauthenticated')
    }
    const grant = this.#take(answer)
    if (answer.locked === true) this.#lockNow(null, false)
    else if (this.#lock !== null) this.#unlockNow()
    else this.#events.emit(before === null ? 'signed-in' : 'refreshed', grant.user)
    return grant
  }

  async #askForRefresh(): Promise<RefreshAnswer> {
    const refresh: Call<RefreshAnswer> = { method: 'POST', path: '/auth/refresh', answer: refreshAnswer, cookie: true }
    if (this.#assert !== null) return this.#assert(this.#deps.http)
    for (let left = ROTATION_WAITS; ; left -= 1) {
      try {
        return await this.#deps.http.send(refresh, { csrfToken: this.#csrfToken() })
      } catch (error) {
        // Somebody (another tab, a first try whose answer was lost) rotated this cookie a moment ago: shortly again.
        const waitMs = error instanceof WardlineError && error.code === 'rate-limited' ? error.retryAfterMs : null
        if (waitMs === null || waitMs > ROTATION_MS || left === 0) throw error
        await new Promise<void>((resolve) => this.#deps.env.setTimer(waitMs, resolve))
      }
    }
  }

  #take(answer: RefreshAnswer): Grant {
    const lifeMs = answer.expiresIn * 1000
    const expiresAt = this.#deps.env.now() + lifeMs
    this.#deps.storage.set(CSRF_KEY, answer.csrfToken)
    this.#grant = { token: answer.accessToken, expiresAt, marginMs: Math.min(MARGIN_MS, lifeMs / 4), user: answer.user }
    this.#show(this.#grant)
    return this.#grant
  }

  #show({ user, expiresAt }: Grant): void {
    if (this.#lock === null) this.#setState({ is: 'signed-in', user, expiresAt, warning: this.#warning })
    else this.#setState({ is: 'locked', user, why: this.#lock.why })
  }

  /** @param tell whether the other tabs do not know yet */
  #lockNow(why: LockedWhy | null, tell: boolean): void {
    const grant = this.#grant
    if (grant === null) return
    const isNew = this.#lock === null
    this.#lock = { why: why ?? this.#lock?.why ?? null }
    this.#warning = null
    this.#show(grant)
    if (!isNew) return
    if (tell) this.#deps.tabs.post({ kind: 'locked' })
    this.#events.emit('locked', grant.user)
  }

  #unlockNow(): void {
    const grant = this.#grant
    if (grant === null || this.#lock === null) return
    this.#lock = null
    this.#show(grant)
    this.#events.emit('unlocked', grant.user)
  }

  async #askWhyLocked(): Promise<void> {
    try {
      await this.#callOnce({ method: 'GET', path: '/me', answer: signedInUser })
      this.#unlockNow()
    } catch (error) {
      if (error instanceof WardlineError && error.code === 'locked') this.#lockNow(whyOf(error), false)
    }
  }

  #setState(state: SessionState): void {
    this.#state = state
    this.#events.emit('changed', state)
  }
}

function whyOf({ why }: WardlineError): LockedWhy | null {
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
