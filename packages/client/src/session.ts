import {
  type AuthenticatedAnswer,
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
import { type AuthCalls, authCalls } from './auth-calls.ts'
import { Emitter } from './emitter.ts'
import { isPassing, WardlineError } from './error.ts'
import type { Call, Http } from './http.ts'
import {
  type EndReason,
  type LockedWhy,
  lockedWhyOf,
  type SessionDeps,
  type SessionEvents,
  type SessionState,
  type SessionWarning,
  type SignIn,
  type SignInResult,
} from './session-state.ts'

/** A token with less life than this, or than a quarter of its own, is renewed before it is used. Milliseconds. */
const MARGIN_MS = 30_000
const CSRF_KEY = 'wardline-csrf'
const REFRESH_LOCK = 'wardline-refresh'

type Grant = { token: string; expiresAt: number; marginMs: number; user: SignedInUser }

/**
 * Who is signed in, and a fresh token for whoever needs one. No timer renews: the server asks over the socket, and calls
 * renew when they need to. A timer would keep an abandoned workstation signed in.
 */
export class Session {
  readonly #deps: SessionDeps
  readonly #auth: AuthCalls
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
    this.#auth = authCalls(deps, () => this.#csrfToken())
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
    const answer = await this.#auth.login(credentials)
    if (answer.status === 'second-factor') return answer
    return { status: 'signed-in', user: this.#begin(answer).user }
  }

  /**
   * The second half of a sign-in. Throws WardlineError `unauthenticated`: with `why` it was the code, and another may be tried;
   * without, the challenge is over, and the sign-in begins anew.
   */
  async secondFactor(answer: SecondFactorRequest): Promise<SignedInUser> {
    return this.#begin(await this.#auth.secondFactor(answer)).user
  }

  /** What to ask an authenticator for, before anybody has said who they are: good once, for `timeoutMs`, on this device. */
  passkeyOptions(): Promise<PasskeyRequest> {
    return this.#auth.passkeyOptions()
  }

  /** Signs in by a passkey alone: its answer to `passkeyOptions`. Throws WardlineError `unauthenticated`. */
  async signInWithPasskey(passkey: PasskeyAssertion): Promise<SignedInUser> {
    if (this.#grant !== null) void this.signOut()
    await this.#leaving
    return this.#begin(await this.#auth.passkey(passkey)).user
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
    const leaving = this.#auth.logout(credentials)
    this.#leaving = leaving
    return leaving
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
    await this.#prove('/auth/step-up', given)
  }

  /** Goes away from the screen. `reached`: whether the server could be told; here and in the other tabs it is locked in any case. */
  async lock(): Promise<{ reached: boolean }> {
    if (this.#grant === null || this.#lock !== null) return { reached: true }
    const telling = this.#callOnce<void>({ method: 'POST', path: '/auth/lock', answer: null })
    this.#lockNow('own', true)
    return telling.then(
      () => ({ reached: true }),
      () => ({ reached: false }),
    )
  }

  /** Opens the session. Throws WardlineError: with `why` it was wrong; `step-up-required` where a password is not enough. */
  async unlock(given: StepUpRequest): Promise<void> {
    if (!(await this.#prove('/auth/unlock', given))) return
    this.#deps.tabs.post({ kind: 'unlocked' })
    this.#unlockNow()
  }

  /** False: signed out meanwhile, or another person's session by now; the token is nobody's. */
  async #prove(path: string, given: StepUpRequest): Promise<boolean> {
    const before = this.#grant
    const answer = await this.#callOnce({ method: 'POST', path, body: given, answer: refreshAnswer })
    if (before?.user.id !== answer.user.id || this.#grant?.user.id !== answer.user.id) return false
    this.#take(answer)
    return true
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
      if (error instanceof WardlineError && error.code === 'locked') this.#lockNow(lockedWhyOf(error), false)
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
      answer = await (this.#assert === null ? this.#auth.refresh() : this.#assert(this.#deps.http))
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
      if (error instanceof WardlineError && error.code === 'locked') this.#lockNow(lockedWhyOf(error), false)
    }
  }

  #setState(state: SessionState): void {
    this.#state = state
    this.#events.emit('changed', state)
  }
}
