import { type Action, type ActionResources, type Actor, type Allowed, decide } from '@wardline/policy'
import type { ClientRequest, ServerFrameOf } from '@wardline/protocol'
import type { Watch } from '../access/access.ts'
import { type AccessSnapshot, actorOf, isSessionLive } from '../access/snapshot.ts'
import type { AuditFact } from '../audit/event.ts'
import type { AuditReason } from '../audit/vocabulary.ts'
import { Refusal, toErrorFrame, toRefusal } from '../errors.ts'
import type { Authenticated } from '../sessions/authenticate.ts'
import { isLocked } from '../sessions/session-life.ts'
import { policyOf } from '../tenants/settings.ts'
import type { Asked, Asker } from './asker.ts'
import { encode, type Frame } from './frame.ts'
import type { Gateway } from './gateway.ts'
import { Health } from './health.ts'
import type { Line } from './line.ts'
import { LockWatch } from './lock-watch.ts'
import { type Peer, signedTrail, type Trail } from './peer.ts'
import { Reader } from './reader.ts'
import { Refusals, refusalFact } from './refusals.ts'
import { perform } from './requests.ts'
import type { Subscription } from './subscription.ts'
import { TokenBucket } from './token-bucket.ts'
import { TokenWatch } from './token-watch.ts'

/** Refusals forgiven in a second; as many at once as a burst of requests has. Beyond that it is abuse. */
const FORGIVEN_PER_SECOND = 1

/** Ends the socket. `because` is for the audit; `drop`: nothing that waits is written any more. */
export type End = (
  code: 4401 | 4403 | 4408 | 4423 | 4429 | 4440 | 4452,
  because: AuditReason,
  waiting: 'finish' | 'drop',
) => void

/** What a socket is from the moment somebody has signed in on it. */
export class SignedIn implements Asker {
  readonly gateway: Gateway
  readonly health: Health
  readonly reader: Reader
  readonly token: TokenWatch
  readonly #peer: Peer
  readonly #line: Line
  readonly #watch: Watch
  readonly #end: End
  readonly #lookBy: (at: number) => void
  readonly #locks: LockWatch
  readonly #refusals: Refusals
  readonly #requests: TokenBucket
  readonly #patience: TokenBucket
  #who: Authenticated
  #snapshot: AccessSnapshot
  #trail: Trail
  #inFlight = 0
  /** While a message of this socket waits for what it takes to submit it, those behind it wait as well (P7). */
  #submitting: Promise<void> | null = null

  constructor(
    gateway: Gateway,
    socket: { readonly line: Line; readonly peer: Peer; readonly end: End; readonly lookBy: (at: number) => void },
    who: Authenticated,
    watch: Watch,
  ) {
    const now = gateway.clock.now()
    const { limits } = gateway.config
    this.gateway = gateway
    this.#peer = socket.peer
    this.#line = socket.line
    this.#end = socket.end
    this.#lookBy = socket.lookBy
    this.#who = who
    this.#watch = watch
    this.#snapshot = watch.snapshot
    this.#trail = signedTrail(socket.peer, who)
    this.health = new Health(limits, now, Math.random())
    this.reader = new Reader(gateway, socket.line, this.health, actorOf(watch.snapshot, who), socket.lookBy)
    this.#locks = new LockWatch(this)
    this.token = new TokenWatch(this)
    this.#refusals = new Refusals(gateway.clock, (fact) => gateway.audit(who.tenant, fact))
    this.#requests = new TokenBucket(limits.requestsPerSecond, limits.requestBurst, now)
    this.#patience = new TokenBucket(FORGIVEN_PER_SECOND, limits.requestBurst, now)
  }

  get peer(): Peer {
    return this.#peer
  }

  get who(): Authenticated {
    return this.#who
  }

  get tenant(): string {
    return this.#who.tenant
  }

  get user(): string {
    return this.#who.user
  }

  get session(): string {
    return this.#who.session
  }

  get device(): string {
    return this.#who.device
  }

  get actor(): Actor {
    return this.reader.actor
  }

  get snapshot(): AccessSnapshot {
    return this.#snapshot
  }

  get trail(): Trail {
    return this.#trail
  }

  /** Counts what came against the rates of the socket and of the user. Answers 0, or how long to wait. */
  charge(): number {
    const wait = this.#requests.take(this.gateway.clock.now())
    return wait > 0 ? wait : this.gateway.userRates.take(this.tenant, this.user)
  }

  /** One request, decoded: done, or refused with an `error` frame. */
  request(frame: ClientRequest): void {
    this.gateway.metrics.asked(frame.type)
    if (frame.type !== 'session.ping') this.health.asked(this.gateway.clock.now())
    this.#locks.heard(frame.type)
    const isMessage = frame.type.startsWith('message.')
    if (isMessage && this.#submitting !== null) {
      this.#waitFor(this.#submitting.then(() => this.#perform(frame)))
      return
    }
    const submitting = this.#perform(frame)
    if (isMessage && submitting !== undefined) this.#waitFor(submitting)
  }

  decide<A extends Action>(action: A, resource: ActionResources[A]): Allowed {
    const policy = policyOf(this.gateway.policy, this.#snapshot.settings)
    const context = { now: this.gateway.clock.now(), policy }
    const decision = decide(this.actor, action, resource, context)
    if (!decision.allowed) throw new Refusal(decision.code, decision.reason)
    return decision
  }

  send(frame: Frame): void {
    this.#line.send(frame)
    this.reader.sent()
  }

  answered(frame: Frame): void {
    this.#inFlight -= 1
    this.send(frame)
  }

  refused(request: Asked, error: unknown): void {
    if (request.id !== undefined) this.#inFlight -= 1
    this.refuse(request, error)
  }

  /** Refuses what was never counted as in flight: it came too fast, or could not be read. */
  refuse(request: Asked, error: unknown): void {
    const refusal = toRefusal(error)
    this.gateway.metrics.refused(refusal.code)
    if (refusal.code === 'internal')
      this.gateway.log.error('request.failed', { tenant: this.tenant, error: refusal.cause })
    if (!refusal.audited) {
      const patient = this.gateway.channels.patientOf(this.tenant, request.channel)
      this.#refusals.note({ ...this.#trail, ...refusalFact(request, refusal, patient) })
    }
    this.send(encode(toErrorFrame(refusal, request.id)))
    if (refusal.code !== 'internal' && refusal.code !== 'unavailable') this.losePatience()
  }

  /** Something was not as it should be. Again and again, and the socket is closed (4429) and its user held off. */
  losePatience(): void {
    if (this.#patience.take(this.gateway.clock.now()) === 0) return
    this.gateway.userRates.hold(this.tenant, this.user)
    const retryAfterMs = this.gateway.userRates.heldFor(this.tenant, this.user)
    this.#line.send(encode(toErrorFrame(new Refusal('rate-limited', 'held-off', { retryAfterMs }))))
    this.#end(4429, 'rate', 'finish')
  }

  /** The session is locked, or ends, soon; or not after all. */
  warn(warning: ServerFrameOf<'session.warning'>): void {
    this.send(encode(warning))
  }

  lookBy(at: number): void {
    this.#lookBy(at)
  }

  subscription(channel: string): Subscription | undefined {
    return this.reader.subscription(channel)
  }

  subscribe(channel: ActionResources['channel.read']): Subscription {
    const subscription = this.reader.subscribe(channel)
    this.#lookBy(this.reader.next())
    return subscription
  }

  /** What the store says of the person has changed, or of their sign-ins. */
  become(snapshot: AccessSnapshot): void {
    const now = this.gateway.clock.now()
    const before = this.#snapshot
    this.#snapshot = snapshot
    if (!isSessionLive(snapshot, this.session, now)) return this.#end(4403, 'revoked', 'drop')
    // The session goes on over HTTP: its client asks there, and learns what it has to do.
    if (snapshot.mustEnrol) return this.#end(4440, 'no-second-factor', 'drop')
    // The sign-in lives: whoever can renew its token comes back with another.
    if (snapshot.revokedTokens.has(this.#who.claims.jti)) return this.#end(4440, 'revoked', 'drop')
    if (isLocked(snapshot, this.session)) return this.#end(4423, 'locked', 'drop')
    this.reader.become(actorOf(snapshot, this.#who))
    this.gateway.inboxes.revise(this, snapshot.channels)
    this.#locks.become()
    this.token.become(before)
    this.#lookBy(this.next())
  }

  /** The same person, session and device have proved themselves again. What became of the token meanwhile counts. */
  renewed(who: Authenticated, answer: Frame): void {
    if (this.#snapshot.revokedTokens.has(who.claims.jti)) return this.#end(4440, 'revoked', 'drop')
    this.#who = who
    this.#trail = signedTrail(this.#peer, who)
    this.answered(answer)
    this.token.taken()
    this.reader.become(actorOf(this.#snapshot, who))
    this.#lookBy(this.next())
  }

  /** Whether these are the credentials of the one who is signed in here, on the same device. */
  isSame(who: Authenticated): boolean {
    const { tenant, user, session, device } = this.#who
    return who.tenant === tenant && who.user === user && who.session === session && who.device === device
  }

  end(...how: Parameters<End>): void {
    this.#end(...how)
  }

  /** Everything that only time brings. */
  due(now: number): void {
    const session = this.#snapshot.sessions.get(this.session)
    if (session !== undefined && now >= session.expiresAt) return this.#end(4401, 'session-expired', 'drop')
    this.#locks.due(now)
    if (this.token.isOver(now)) return
    const verdict = this.health.verdict(now)
    if (verdict !== null) return this.#end(verdict.close, verdict.because, 'finish')
    if (this.health.takePing(now)) this.#line.ping()
    this.token.due(now)
    this.reader.due(now)
    this.#refusals.flush(false)
  }

  /** When `due` is to be called next, in milliseconds of the epoch. */
  next(): number {
    const sessionEnd = this.#snapshot.sessions.get(this.session)?.expiresAt ?? 0
    return Math.min(sessionEnd, this.#locks.next(), this.token.next(), this.health.next(), this.reader.next())
  }

  close(): void {
    this.#watch.stop()
    this.reader.close()
    this.#refusals.flush(true)
  }

  audit(fact: Omit<AuditFact, keyof Trail>): void {
    this.gateway.audit(this.tenant, { ...this.#trail, ...fact })
  }

  #perform(frame: ClientRequest): Promise<void> | undefined {
    try {
      if ('id' in frame) {
        this.#inFlight += 1
        if (this.#inFlight > this.gateway.config.limits.inFlight) throw new Refusal('rate-limited', 'in-flight')
      }
      return perform(this, frame)?.catch((error: unknown) => this.refused(frame, error))
    } catch (error) {
      this.refused(frame, error)
      return undefined
    }
  }

  #waitFor(submitting: Promise<void>): void {
    const tail = submitting.finally(() => {
      if (this.#submitting === tail) this.#submitting = null
    })
    this.#submitting = tail
  }
}
