import { type Actor, type ChannelResource, type Decision, decide, type PolicySettings } from '@wardline/policy'
import type { ServerFrameOf } from '@wardline/protocol'
import type { Clock } from '../clock.ts'
import type { ChannelFeed } from './channel-feed.ts'
import { encode, type Frame } from './frame.ts'
import type { Line } from './line.ts'
import type { Owner } from './outlet.ts'
import type { FramedEvent } from './recent-events.ts'

/** Told before a subscription has begun; more of them are lost, as everything is that is only state. */
const MAX_EARLY = 100

/** What a subscription needs of the connection that holds it. */
export interface Subscriber {
  readonly line: Line
  readonly clock: Clock
  readonly policy: PolicySettings
  /** Who asks, as of now: another object whenever what they may do, or their token, has changed. */
  readonly actor: Actor
  /** Bytes on the line at which a reader counts as slow. */
  readonly bufferBytes: number
  /** The subscription is put off: `catchUp` when the line has room. `channel.live` follows when it has caught up. */
  fellBehind(subscription: Subscription): void
  /** The store could not be read for it: `catchUp` a little later. */
  readFailed(subscription: Subscription, error: unknown): void
  /** It has missed receipts while it was put off: they are read and sent anew. */
  missedReceipts(subscription: Subscription): void
  /** Resolves when the line has room. Never, once the connection is closing. */
  room(): Promise<void>
  /** Resolves when it may read the store: the line has room, and not too many others of the socket hold what they have read. Gives how to end that. */
  turn(): Promise<() => void>
  /** Reads the store when it is the user's turn, over all their sockets. */
  reading<T>(read: () => Promise<T>): Promise<T>
  ended(subscription: Subscription): void
}

/**
 * One channel on one socket: `replaying → live ⇄ lagging`, until `closed`. While replaying or lagging it reads the store at the
 * reader's own pace; live, it takes what the feed offers. `last` is the last sequence sent: nothing is sent twice or out of order,
 * whatever happens between (P3), and each event is sent only if its reader may see it now (P5).
 */
export class Subscription implements Owner {
  readonly feed: ChannelFeed
  readonly subscriber: Subscriber
  #channel: ChannelResource
  #state: 'replaying' | 'live' | 'lagging' | 'closed' = 'replaying'
  #last = 0
  #judgedAs: Actor | null = null
  #until = 0
  /** What was to be told before `channel.subscribed` had been sent; null from then on. */
  #early: Frame[] | null = []
  #missedReceipts = false

  constructor(feed: ChannelFeed, channel: ChannelResource, subscriber: Subscriber) {
    this.feed = feed
    this.subscriber = subscriber
    this.#channel = channel
    feed.subscriptions.add(this)
  }

  get channel(): ChannelResource {
    return this.#channel
  }

  get state(): 'replaying' | 'live' | 'lagging' | 'closed' {
    return this.#state
  }

  get closed(): boolean {
    return this.#state === 'closed'
  }

  /** When the right to read lapses by itself, in milliseconds of the epoch; infinity if it does not. */
  get until(): number {
    return this.#until
  }

  /** Sends everything after `last`, then goes live. */
  async replay(last: number): Promise<void> {
    this.#last = last
    try {
      await this.#readOn()
    } catch (error) {
      if (this.closed) return
      this.#state = 'lagging'
      this.subscriber.readFailed(this, error)
    }
  }

  /** An event from the feed, which goes on to all of the channel's subscriptions. */
  offer(event: FramedEvent): void {
    if (this.#state !== 'live' || event.seq <= this.#last || !this.mayRead()) return
    const { line } = this.subscriber
    if (line.backlog > this.subscriber.bufferBytes) {
      this.#state = 'lagging'
      this.subscriber.fellBehind(this)
      return
    }
    this.#last = event.seq
    line.send(event.frame, this)
  }

  /** Something of the channel that is state and not sequenced: receipts, who types, who is there. */
  tell(frame: Frame): void {
    if (this.closed) return
    if (this.#early !== null) this.#early = this.#early.length < MAX_EARLY ? [...this.#early, frame] : this.#early
    else if (this.subscriber.line.backlog <= this.subscriber.bufferBytes) this.subscriber.line.send(frame, this)
    else this.#missedReceipts = true
  }

  /** `channel.subscribed` has been sent, as of a moment ago: what was told since then follows. */
  begun(): void {
    const early = this.#early ?? []
    this.#early = null
    for (const frame of early) this.tell(frame)
  }

  /** The line has room again. */
  catchUp(): Promise<void> {
    if (this.#state !== 'lagging') return Promise.resolve()
    this.#state = 'replaying'
    return this.replay(this.#last)
  }

  /** Whether the reader may have the next event. If not, the subscription has ended by the time this answers. */
  mayRead(): boolean {
    const { actor, clock } = this.subscriber
    if (actor === this.#judgedAs && clock.now() < this.#until) return true
    const decision = this.judge()
    if (decision.allowed) return true
    this.end(decision.reason === 'not-a-member' ? 'removed' : 'forbidden')
    return false
  }

  /** Asks policy anew, and keeps the answer for as long as it holds. */
  judge(): Decision {
    const { actor, clock, policy } = this.subscriber
    const decision = decide(actor, 'channel.read', this.#channel, { now: clock.now(), policy })
    this.#judgedAs = decision.allowed ? actor : null
    this.#until = decision.allowed ? (decision.until ?? Number.POSITIVE_INFINITY) : 0
    return decision
  }

  /** What is known of the channel has changed (it was archived, say). */
  revise(channel: ChannelResource): void {
    this.#channel = channel
    this.#judgedAs = null
  }

  /** Ends it from the server's side: frames that wait are dropped, the notice follows, and nothing after it. */
  end(reason: ServerFrameOf<'channel.closed'>['reason']): void {
    if (this.closed) return
    this.close()
    this.subscriber.line.send(encode({ type: 'channel.closed', channel: this.#channel.id, reason }))
  }

  /** Ends it without a word: the client asked for that, or is gone. */
  close(): void {
    if (this.closed) return
    this.#state = 'closed'
    this.feed.subscriptions.delete(this)
    this.subscriber.ended(this)
  }

  async #readOn(): Promise<void> {
    const { feed, subscriber } = this
    while (this.#last < feed.known) {
      const ended = await subscriber.turn()
      try {
        if (this.closed) return
        const known = feed.known
        const events = await subscriber.reading(async () => (this.closed ? [] : feed.read(this.#last)))
        if (this.closed || !(await this.#sendAll(events))) return
        // Nothing is there up to `known`, whoever said so; and if no more has been delivered meanwhile, nothing is missed.
        if (events.length === 0 && (feed.delivered ?? 0) <= known) break
      } finally {
        ended()
      }
    }
    this.#goLive()
  }

  /** Sends them as the line takes them. Whether the subscription has not ended meanwhile. */
  async #sendAll(events: readonly FramedEvent[]): Promise<boolean> {
    const { line, bufferBytes } = this.subscriber
    for (const event of events) {
      if (line.backlog > bufferBytes) await this.subscriber.room()
      if (this.closed || !this.mayRead()) return false
      if (event.seq <= this.#last) continue
      this.#last = event.seq
      line.send(event.frame, this)
    }
    return true
  }

  #goLive(): void {
    this.#state = 'live'
    const live = { type: 'channel.live', channel: this.#channel.id, seq: this.#last } as const
    this.subscriber.line.send(encode(live), this)
    if (!this.#missedReceipts) return
    this.#missedReceipts = false
    this.subscriber.missedReceipts(this)
  }
}
