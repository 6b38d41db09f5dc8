import {
  type ClientRequest,
  decodeFirstFrame,
  decodeRequest,
  ERRORS,
  type ErrorCode,
  type Limits,
  type ServerFrame,
  type SignedInUser,
} from '@wardline/protocol'
import type { Cancel } from '../environment.ts'
import type { FakeChannel } from './channels.ts'
import { fakeId } from './fixtures.ts'
import { claimsOf } from './proofs.ts'
import type { Wire } from './wire.ts'

/** What locks and ends a session here. */
const IDLE_MS = 10 * 60_000
const WARNING_MS = 60_000
const SESSION_MS = 12 * 3_600_000

/** What a socket needs of the server it belongs to. */
export type SocketWorld = {
  readonly limits: Limits
  now(): number
  setTimer(ms: number, run: () => void): Cancel
  channels: ReadonlyMap<string, FakeChannel>
  /** Who the token is of and when it ends (ms), or undefined where it is good for nothing. */
  holderOf(token: string): { user: SignedInUser; expiresAt: number } | undefined
  nonce(): string
  isLocked(): boolean
  /** A request came in: for tests to look at. */
  asked(request: ClientRequest): ErrorCode | undefined
  /** Tells everybody but this one. */
  committed(channel: FakeChannel, frames: (user: string) => ServerFrame[], except?: FakeSocket): void
  gone(socket: FakeSocket): void
}

/** The server's end of one socket, as PROTOCOL.md has it. */
export class FakeSocket {
  readonly wire: Wire
  readonly subscriptions = new Set<string>()
  user: SignedInUser | null = null
  readonly #world: SocketWorld
  #nonce: string
  #token = ''
  #timer: Cancel | null = null

  constructor(wire: Wire, world: SocketWorld) {
    this.wire = wire
    this.#world = world
    this.#nonce = world.nonce()
    this.send({
      type: 'session.challenge',
      nonce: this.#nonce,
      connectionId: fakeId(0xe0000 + wire.index),
      serverTime: this.#iso(world.now()),
      deadlineMs: 5000,
    })
  }

  send(frame: ServerFrame): void {
    this.wire.down(JSON.stringify(frame))
  }

  received(text: string): void {
    if (this.user === null) this.#authenticate(text)
    else this.#request(text, this.user)
  }

  closed(): void {
    this.#timer?.()
    this.#world.gone(this)
  }

  /** Asks for a renewal and closes with 4440 where none comes in time. */
  askToRenew(reason: 'expiry' | 'role-change' = 'expiry', beforeMs = 10_000): void {
    this.#nonce = this.#world.nonce()
    const before = this.#world.now() + beforeMs
    this.send({ type: 'session.renew-required', reason, nonce: this.#nonce, before: this.#iso(before) })
    this.#timer?.()
    this.#timer = this.#world.setTimer(beforeMs + this.#world.limits.renewGraceMs, () => this.wire.closeDown(4440))
  }

  #authenticate(text: string): void {
    const decoded = decodeFirstFrame(text)
    if (!decoded.ok) {
      this.wire.closeDown(4400)
      return
    }
    const { id, token, proof } = decoded.frame
    const expiresAt = this.#prove(token, proof)
    const holder = this.#world.holderOf(token)
    if (expiresAt === undefined || holder === undefined) {
      this.wire.closeDown(4401)
      return
    }
    if (this.#world.isLocked()) {
      this.wire.closeDown(4423)
      return
    }
    this.user = holder.user
    const { limits } = this.#world
    this.send({
      type: 'session.authenticated',
      replyTo: id,
      user: holder.user,
      expiresAt: this.#iso(expiresAt),
      session: { idleMs: IDLE_MS, warningMs: WARNING_MS, endsAt: this.#iso(this.#world.now() + SESSION_MS) },
      limits,
    })
  }

  /** The token's end where token and proof are good: then the nonce is spent, and the renewal is planned. */
  #prove(token: string, proof: string): number | undefined {
    const claims = claimsOf(proof)
    const holder = this.#world.holderOf(token)
    const nonce = this.#nonce
    this.#nonce = ''
    if (holder === undefined || nonce === '' || claims.nonce !== nonce || claims.htm !== 'GET') return undefined
    if (this.user !== null && this.user.id !== holder.user.id) return undefined
    this.#token = token
    this.#timer?.()
    const lifeMs = holder.expiresAt - this.#world.now()
    this.#timer = this.#world.setTimer(lifeMs * 0.8, () => this.askToRenew('expiry', lifeMs * 0.2))
    return holder.expiresAt
  }

  #request(text: string, user: SignedInUser): void {
    const decoded = decodeRequest(text)
    if (!decoded.ok) {
      if (decoded.fault === 'violation') this.wire.closeDown(4400)
      else this.#refuse(decoded.replyTo, 'invalid')
      return
    }
    const { frame } = decoded
    const refusal = this.#world.asked(frame)
    if (refusal !== undefined) {
      this.#refuse('id' in frame ? frame.id : undefined, refusal)
      return
    }
    switch (frame.type) {
      case 'session.renew': {
        const expiresAt = frame.token === this.#token ? undefined : this.#prove(frame.token, frame.proof)
        if (expiresAt === undefined) this.wire.closeDown(4401)
        else this.send({ type: 'session.renewed', replyTo: frame.id, expiresAt: this.#iso(expiresAt) })
        return
      }
      case 'session.activity':
        return
      case 'message.acknowledge':
        this.#acknowledge(frame, user)
        return
      case 'session.ping':
      case 'presence.set':
      case 'message.correct':
      case 'message.recall':
        this.send({ type: 'done', replyTo: frame.id })
        return
      default:
        this.#channelRequest(frame, user)
    }
  }

  #channelRequest(frame: Extract<ClientRequest, { channel: string }>, user: SignedInUser): void {
    const channel = this.#world.channels.get(frame.channel)
    if (channel === undefined || !channel.members.has(user.id)) {
      if ('id' in frame) this.#refuse(frame.id, 'not-found')
      return
    }
    switch (frame.type) {
      case 'channel.subscribe':
        this.#subscribe(frame.id, channel, frame.after)
        return
      case 'channel.unsubscribe':
        this.subscriptions.delete(channel.id)
        this.send({ type: 'done', replyTo: frame.id })
        return
      case 'receipt.mark':
        if (channel.mark(user.id, frame)) {
          const { delivered, read } = channel.receiptOf(user.id)
          const moved = { type: 'receipt.moved', channel: channel.id, user: user.id, delivered, read } as const
          this.#world.committed(channel, () => [moved])
        }
        return
      case 'typing.set': {
        const changed = { type: 'typing.changed', channel: channel.id, user: user.id, active: frame.active } as const
        this.#world.committed(channel, () => [changed], this)
        return
      }
      case 'message.post': {
        const committed = channel.post(user.id, frame)
        if (committed === undefined) {
          this.#refuse(frame.id, 'conflict')
          return
        }
        const { event, ...accepted } = committed
        this.send({
          type: 'message.accepted',
          replyTo: frame.id,
          channel: channel.id,
          clientId: frame.clientId,
          ...accepted,
        })
        if (!accepted.repeated) this.#world.committed(channel, (reader) => [event, channel.inboxOf(reader)])
      }
    }
  }

  #acknowledge(frame: Extract<ClientRequest, { type: 'message.acknowledge' }>, { id: by }: SignedInUser): void {
    const { message, response = null } = frame
    for (const channel of this.#world.channels.values()) {
      if (!channel.events.some(({ event }) => 'message' in event && event.message === message)) continue
      const event = channel.append({ type: 'message.acknowledged', message, by, response })
      this.send({ type: 'done', replyTo: frame.id, seq: event.seq })
      this.#world.committed(channel, (reader) => [event, channel.inboxOf(reader)])
      return
    }
    this.#refuse(frame.id, 'not-found')
  }

  #subscribe(id: string, channel: FakeChannel, after: number = channel.head): void {
    this.subscriptions.add(channel.id)
    this.send(channel.subscribed(id))
    for (const event of channel.events) if (event.seq > after) this.send(event)
    this.send({ type: 'channel.live', channel: channel.id, seq: channel.head })
  }

  #refuse(replyTo: string | undefined, code: ErrorCode): void {
    const { message, retry } = ERRORS[code]
    this.send({ type: 'error', ...(replyTo === undefined ? {} : { replyTo }), code, message, retry })
  }

  #iso(ms: number): string {
    return new Date(ms).toISOString()
  }
}
