import { decodeServerFrame, type Limits, type ServerFrame, type ServerFrameOf } from '@wardline/protocol'
import type { Cancel, Environment } from './environment.ts'
import type { OnFault } from './fault.ts'
import type { Proofs } from './proof.ts'
import type { Notice, Outcome, Request } from './request.ts'
import { RequestQueue } from './request-queue.ts'
import type { ServerClock } from './server-clock.ts'
import type { SocketLike } from './socket-like.ts'

/** From opening the socket to the challenge, and from the proof to its answer, in milliseconds. */
const HANDSHAKE_MS = 10_000
/** Between attempts to fetch a token for a renewal that the network refused. */
const RENEW_AGAIN_MS = 1_000
/** A line that has been silent for so long is asked whether it lives: browsers do not see the server's pings. */
const SILENT_MS = 15_000
/** When a person looks, they are not kept waiting for the usual time of an answer. */
const PROBE_MS = 5_000

/** How a line ended. `code`: the close code, 1006 where this side gave up or the network did. */
export type LineEnd = { readonly code: number; readonly drainingMs: number | null }

export type LineEvents = {
  /** Authenticated: from here on the line may be asked. */
  live(authenticated: ServerFrameOf<'session.authenticated'>, connectionId: string): void
  /** Every frame that answers no request and belongs to no handshake. */
  frame(frame: ServerFrame): void
  /** Once and last. */
  ended(end: LineEnd): void
}

export type LineDeps = {
  env: Pick<Environment, 'now' | 'setTimer' | 'transport'>
  clock: ServerClock
  proofs: Proofs
  onFault: OnFault
  /** A token other than `used`; with `always`, one that is issued from now on (Session.renewedToken). */
  renewedToken: (used: string, always: boolean) => Promise<string>
}

type Stage =
  | { is: 'opening' }
  | { is: 'proving'; id: string; connectionId: string }
  | { is: 'live'; limits: Limits; queue: RequestQueue }
  | { is: 'ended' }

/** One socket from its opening to its end: challenge, proof, renewals, requests and their answers. */
export class Line {
  readonly #deps: LineDeps
  readonly #events: LineEvents
  readonly #url: string
  readonly #socket: SocketLike
  #token: string
  #stage: Stage = { is: 'opening' }
  #deadline: Cancel
  #drainingMs: number | null = null
  #heardAt: number
  #seesPings = false
  #wanted = true
  #watch: Cancel | null = null

  /** `url`: of the socket, `wss:`. `token`: good for a while yet, so that the server's deadline is not spent on renewing it. */
  constructor(url: string, protocol: string, token: string, deps: LineDeps, events: LineEvents) {
    this.#deps = deps
    this.#events = events
    this.#url = url
    this.#token = token
    this.#heardAt = deps.env.now()
    this.#deadline = deps.env.setTimer(HANDSHAKE_MS, () => this.#end(1006))
    this.#socket = deps.env.transport(url, [protocol], {
      received: (text) => this.#received(text),
      heard: () => {
        this.#heardAt = deps.env.now()
        this.#seesPings = true
      },
      closed: (code) => this.#end(code),
    })
  }

  /** Asks; `done` runs exactly once, within the turn of the frame that decides it. */
  request(request: Request, done: (outcome: Outcome) => void): void {
    if (this.#stage.is === 'live') this.#stage.queue.ask(request, done)
    else done({ is: 'lost' })
  }

  /** Sends what is not answered. False when it was not sent: nothing live, or more important things wait. */
  notify(notice: Notice): boolean {
    return this.#stage.is === 'live' && this.#stage.queue.tell(notice)
  }

  /** Asks the line whether it lives, and ends it if there is no answer soon. */
  probe(): void {
    if (this.#stage.is !== 'live') return
    const giveUp = this.#deps.env.setTimer(PROBE_MS, () => this.#end(1006))
    this.#stage.queue.ask({ type: 'session.ping' }, giveUp)
  }

  /** Ends the line from this side, and tells nobody but those who wait for answers. */
  close(): void {
    this.#wanted = false
    this.#end(1000)
  }

  #received(text: string | null): void {
    if (this.#stage.is === 'ended') return
    this.#heardAt = this.#deps.env.now()
    const decoded = text === null ? null : decodeServerFrame(text)
    if (decoded === null || !decoded.ok) {
      this.#deps.onFault({ kind: 'unreadable-frame', length: text?.length ?? 0 })
      // Nobody speaks of anything before the challenge: this is another kind of server.
      if (this.#stage.is !== 'live') this.#end(1006)
      return
    }
    const { frame } = decoded
    switch (this.#stage.is) {
      case 'opening':
        if (frame.type === 'session.challenge') this.#prove(frame)
        else this.#unexpected(frame)
        return
      case 'proving':
        if (frame.type === 'session.authenticated' && frame.replyTo === this.#stage.id) this.#begin(frame, this.#stage)
        else this.#unexpected(frame)
        return
      case 'live':
        this.#liveFrame(frame, this.#stage)
    }
  }

  #prove(challenge: ServerFrameOf<'session.challenge'>): void {
    this.#deps.clock.observe(Date.parse(challenge.serverTime))
    const id = 'authenticate'
    this.#stage = { is: 'proving', id, connectionId: challenge.connectionId }
    this.#deps.proofs.socket(this.#url, this.#token, challenge.nonce).then(
      (proof) => {
        if (this.#stage.is !== 'proving') return
        this.#socket.send(JSON.stringify({ type: 'session.authenticate', id, token: this.#token, proof }))
        this.#deadline()
        this.#deadline = this.#deps.env.setTimer(HANDSHAKE_MS, () => this.#end(1006))
      },
      () => this.#end(1006),
    )
  }

  #begin(authenticated: ServerFrameOf<'session.authenticated'>, { connectionId }: { connectionId: string }): void {
    const { limits } = authenticated
    const queue = new RequestQueue(limits, this.#deps.env, {
      send: (text) => this.#socket.send(text),
      unanswered: () => this.#end(1006),
    })
    this.#stage = { is: 'live', limits, queue }
    this.#watchSilence(this.#stage)
    this.#deadline()
    this.#events.live(authenticated, connectionId)
  }

  #liveFrame(frame: ServerFrame, { queue }: Extract<Stage, { is: 'live' }>): void {
    switch (frame.type) {
      case 'session.challenge':
      case 'session.authenticated':
        this.#deps.onFault({ kind: 'unexpected-frame', type: frame.type })
        return
      case 'session.renew-required':
        void this.#renew(frame, queue)
        return
      case 'session.renewed':
        queue.settle(frame)
        return
      case 'server.draining':
        this.#drainingMs = frame.reconnectAfterMs
        return
      default:
        if ('replyTo' in frame && frame.replyTo !== undefined) {
          if (!queue.settle(frame)) this.#deps.onFault({ kind: 'unexpected-frame', type: frame.type })
        } else {
          this.#events.frame(frame)
        }
    }
  }

  async #renew(required: ServerFrameOf<'session.renew-required'>, queue: RequestQueue): Promise<void> {
    const used = this.#token
    try {
      // What has changed since the last token was issued is only in the next one.
      const token = await this.#deps.renewedToken(used, required.reason !== 'expiry')
      const proof = await this.#deps.proofs.socket(this.#url, token, required.nonce)
      if (this.#stage.is !== 'live') return
      this.#token = token
      queue.askAtOnce({ type: 'session.renew', token, proof })
    } catch {
      // The network, or a session that is over: then the session's end closes this line. While there is time, again; the
      // nonce has not been used. When there is none left, the server closes and says why.
      if (this.#stage.is !== 'live' || this.#deps.clock.until(Date.parse(required.before)) <= 0) return
      this.#deps.env.setTimer(RENEW_AGAIN_MS, () => {
        if (this.#stage.is === 'live' && this.#token === used) void this.#renew(required, queue)
      })
    }
  }

  /** A silent line is asked; one that does not answer is ended by its queue of requests. */
  #watchSilence({ limits, queue }: Extract<Stage, { is: 'live' }>): void {
    // Where the transport shows the server's pings (Node), those answer the question before it is asked.
    const silentMs = this.#seesPings ? limits.heartbeatMs * 1.5 : SILENT_MS
    const passedMs = this.#deps.env.now() - this.#heardAt
    const silent = passedMs >= silentMs
    if (silent) queue.ask({ type: 'session.ping' }, () => undefined)
    // A clock that was set back makes the time that has passed negative.
    const leftMs = silent || passedMs < 0 ? silentMs : silentMs - passedMs
    this.#watch = this.#deps.env.setTimer(leftMs, () => {
      if (this.#stage.is === 'live') this.#watchSilence(this.#stage)
    })
  }

  #unexpected(frame: ServerFrame): void {
    this.#deps.onFault({ kind: 'unexpected-frame', type: frame.type })
    this.#end(1006)
  }

  #end(code: number): void {
    const stage = this.#stage
    if (stage.is === 'ended') return
    this.#stage = { is: 'ended' }
    this.#deadline()
    this.#watch?.()
    // Also after the peer's close, where it does nothing. A browser waits long for a dead peer's answer to a close; we do not.
    this.#socket.close(1000)
    if (stage.is === 'live') stage.queue.abandon()
    if (this.#wanted) this.#events.ended({ code, drainingMs: this.#drainingMs })
  }
}
