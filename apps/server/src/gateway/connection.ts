import { type CloseCode, decodeFirstFrame, decodeRequest, type SessionAuthenticate } from '@wardline/protocol'
import { isSessionLive } from '../access/snapshot.ts'
import type { AuditReason } from '../audit/vocabulary.ts'
import { Refusal, toRefusal } from '../errors.ts'
import { isLocked } from '../sessions/session-life.ts'
import { networkOf } from './admission.ts'
import { encode } from './frame.ts'
import type { Gateway } from './gateway.ts'
import type { Fault, Line, LineEvents } from './line.ts'
import { authenticate, type Opened, welcome } from './opening.ts'
import { type Peer, signedTrail, type Trail } from './peer.ts'
import { SignedIn } from './signed-in.ts'
import type { Timed, WheelEntry } from './wheel.ts'

/** The place that a socket has among those of strangers. */
export type Place = {
  /** Gives it back: this is no longer the socket of a stranger. */
  readonly settled: () => void
  /** Nor is its connection. */
  readonly known: () => void
}

type State =
  | {
      readonly is: 'awaiting-authentication'
      readonly nonce: string
      /** Milliseconds of the epoch; absolute, whatever arrives. */
      readonly deadline: number
      /** Whether the first frame has come and is being judged. */
      judging: boolean
      readonly place: Place
      /** Whose token did not serve, where it was somebody's. */
      claimed?: Refusal['claimed']
    }
  | { readonly is: 'signed-in'; readonly signedIn: SignedIn }
  | { readonly is: 'closing'; readonly because: AuditReason }

/**
 * One socket, from its challenge to its close. Until somebody has signed in it can do nothing but say who it is, once; then each
 * frame is one request, held to the limits and decided afresh (P1, P5, P8). Every way out is `end`.
 */
export class Connection implements LineEvents, Timed {
  readonly peer: Peer
  readonly #gateway: Gateway
  readonly #line: Line
  readonly #entry: WheelEntry
  #state: State

  /** `open` ties it to a socket. */
  constructor(gateway: Gateway, peer: Peer, open: (events: LineEvents) => Line, place: Place) {
    const { authenticateMs } = gateway.config.preAuth
    const deadline = gateway.clock.now() + authenticateMs
    const nonce = gateway.nonce()
    this.peer = peer
    this.#gateway = gateway
    this.#state = { is: 'awaiting-authentication', nonce, deadline, judging: false, place }
    this.#line = open(this)
    this.#entry = gateway.wheel.add(this, deadline)
    gateway.connections.add(this)
    this.#line.send(
      encode({
        type: 'session.challenge',
        nonce,
        connectionId: peer.connection,
        serverTime: new Date(gateway.clock.now()).toISOString(),
        deadlineMs: authenticateMs,
      }),
    )
  }

  /** Who has signed in, if somebody has and the socket is not closing. */
  get signedIn(): SignedIn | null {
    return this.#state.is === 'signed-in' ? this.#state.signedIn : null
  }

  text(message: string, bytes: number): void {
    const state = this.#state
    try {
      if (state.is === 'awaiting-authentication') this.#firstFrame(state, message, bytes)
      else if (state.is === 'signed-in') this.#request(state.signedIn, message, bytes)
    } catch (error) {
      this.#fail(error)
    }
  }

  binary(): void {
    this.end(1003, 'binary', 'finish')
  }

  ping(data: Buffer): void {
    if (this.#hearControl()) this.#line.pong(data)
  }

  pong(): void {
    this.#hearControl()
  }

  written(): void {
    this.signedIn?.reader.written()
  }

  fault(because: Fault): void {
    this.#leave(because)
  }

  closed(code: number): void {
    this.#leave(code === 1006 ? 'closed-by-peer' : 'closed-by-client')
  }

  due(now: number): number | null {
    const state = this.#state
    if (state.is === 'awaiting-authentication') {
      if (now < state.deadline) return state.deadline
      this.end(4408, 'timeout', 'drop')
    }
    if (state.is === 'signed-in') {
      try {
        state.signedIn.due(now)
      } catch (error) {
        this.#fail(error)
      }
    }
    return this.#state.is === 'signed-in' ? this.#state.signedIn.next() : null
  }

  /**
   * Ends the socket: from here on nothing is read from it, and nothing but the close frame is written, except that with `finish`
   * what waits already goes first.
   */
  end(code: CloseCode, because: AuditReason, waiting: 'finish' | 'drop'): void {
    if (this.#state.is === 'closing') return
    this.#leave(because)
    this.#gateway.metrics.closed(code)
    this.#line.close(code, waiting)
  }

  /** What nobody foresaw ends this socket, and no other. */
  #fail(error: unknown): void {
    this.#gateway.log.error('socket.failed', { connection: this.peer.connection, error })
    this.end(1011, 'internal', 'drop')
  }

  /** A ping or a pong. A flood of either is a flood, and from a stranger one is one too many (R-04, P1). Whether it is taken. */
  #hearControl(): boolean {
    const { signedIn } = this
    if (signedIn === null) {
      this.end(4400, 'state', 'drop')
      return false
    }
    signedIn.health.heard(this.#gateway.clock.now())
    if (signedIn.charge() === 0) return true
    signedIn.losePatience()
    return false
  }

  #firstFrame(state: State & { is: 'awaiting-authentication' }, message: string, bytes: number): void {
    if (bytes > this.#gateway.config.limits.firstFrameBytes) return this.end(1009, 'oversize', 'drop')
    const decoded = decodeFirstFrame(message)
    if (!decoded.ok || state.judging) return this.end(4400, 'state', 'drop')
    state.judging = true
    void this.#authenticate(state, decoded.frame)
  }

  async #authenticate(state: State & { is: 'awaiting-authentication' }, frame: SessionAuthenticate): Promise<void> {
    try {
      const opened = await authenticate(this.#gateway, this.peer, state.nonce, frame)
      // The deadline may have passed, or the peer gone, while this was awaited.
      if (this.#state === state) this.#admit(state, opened, frame.id)
      else this.#tooLate(opened, this.#state.is === 'closing' ? this.#state.because : 'state')
    } catch (error) {
      const refusal = toRefusal(error)
      state.claimed = refusal.claimed
      if (refusal.code === 'unauthenticated') return this.end(4401, refusal.reason, 'drop')
      if (refusal.code === 'locked') return this.end(4423, refusal.reason, 'drop')
      if (refusal.code === 'rate-limited') return this.end(4429, refusal.reason, 'drop')
      if (refusal.code === 'unavailable') return this.end(1013, 'unavailable', 'drop')
      this.#fail(refusal.cause)
    }
  }

  #admit(state: State & { is: 'awaiting-authentication' }, opened: Opened, replyTo: string): void {
    const { clock, config, sockets } = this.#gateway
    const { snapshot } = opened.watch
    const isRevoked = snapshot.revokedTokens.has(opened.who.claims.jti)
    if (isRevoked || !isSessionLive(snapshot, opened.who.session, clock.now())) {
      this.#tooLate(opened, 'revoked')
      return this.end(4403, 'revoked', 'drop')
    }
    if (isLocked(snapshot, opened.who.session)) {
      this.#tooLate(opened, 'locked')
      return this.end(4423, 'locked', 'drop')
    }
    if (snapshot.mustEnrol) {
      this.#tooLate(opened, 'no-second-factor')
      return this.end(4440, 'no-second-factor', 'drop')
    }
    state.place.settled()
    state.place.known()
    this.#gateway.familiar.note(networkOf(this.peer.address))
    const socket = {
      line: this.#line,
      peer: this.peer,
      end: this.end.bind(this),
      lookBy: (at: number) => this.#entry.lookBy(at),
    }
    const signedIn = new SignedIn(this.#gateway, socket, opened.who, opened.watch)
    this.#state = { is: 'signed-in', signedIn }
    this.#line.acceptUpTo(config.limits.frameBytes)
    this.#entry.lookBy(signedIn.next())
    this.#line.send(encode(welcome(this.#gateway, opened, replyTo)))
    opened.watch.onChange((snapshot) => signedIn.become(snapshot))
    this.#gateway.inboxes.join(signedIn, signedIn.snapshot.channels)
    this.#gateway.alertNews.join(signedIn)
    this.#register(signedIn)
    signedIn.token.taken()
    for (const oldest of sockets.add(this, opened.who)) oldest.end(4409, 'sockets-per-user', 'finish')
  }

  #register({ tenant, user, session, device }: SignedIn): void {
    const { connection: id, address } = this.peer
    const openedAt = this.#gateway.clock.now()
    this.#gateway.register.opened(tenant, { id, user, session, device, address, openedAt })
  }

  /** The credentials were good, and while that was found out something else has ended it: also in the log of whoever they are of. */
  #tooLate({ watch, who }: Opened, reason: AuditReason): void {
    watch.stop()
    const trail = signedTrail(this.peer, who)
    this.#gateway.audit(who.tenant, { ...trail, action: 'socket.close', outcome: 'allowed', reason })
  }

  #request(signedIn: SignedIn, message: string, bytes: number): void {
    signedIn.health.heard(this.#gateway.clock.now())
    if (bytes > this.#gateway.config.limits.frameBytes) return this.end(1009, 'oversize', 'finish')
    const wait = signedIn.charge()
    const decoded = decodeRequest(message)
    if (decoded.ok) {
      if (wait === 0) signedIn.request(decoded.frame)
      else signedIn.refuse(decoded.frame, new Refusal('rate-limited', 'rate', { retryAfterMs: wait }))
      return
    }
    if (decoded.fault === 'violation') return this.end(4400, 'not-json', 'finish')
    const { type, replyTo } = decoded
    signedIn.refuse({ type, ...(replyTo === undefined ? {} : { id: replyTo }) }, new Refusal('invalid', 'schema'))
  }

  #leave(because: AuditReason): void {
    const state = this.#state
    if (state.is === 'closing') return
    this.#state = { is: 'closing', because }
    this.#entry.remove()
    this.#gateway.connections.delete(this)
    if (state.is === 'awaiting-authentication') {
      state.place.settled()
      this.#gateway.strangers.left(this.peer, because, state.claimed)
      return
    }
    const { signedIn } = state
    this.#gateway.sockets.remove(this, signedIn)
    this.#gateway.register.closed(signedIn.tenant, this.peer.connection)
    this.#gateway.inboxes.leave(signedIn)
    this.#gateway.alertNews.leave(signedIn)
    signedIn.close()
    const trail: Trail = signedIn.trail
    this.#gateway.audit(signedIn.tenant, { ...trail, action: 'socket.close', outcome: 'allowed', reason: because })
  }
}
