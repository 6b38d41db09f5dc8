import type { Logger } from '../log.ts'
import { ChannelFeed, type ReadEvents } from './channel-feed.ts'
import { type FramedEvent, RecentBudget } from './recent-events.ts'
import type { Subscription } from './subscription.ts'

/** Decrypted events that all channels of this node may keep in memory for a moment, in bytes. */
const RECENT_BYTES = 32 * 1024 * 1024

/** Called with each message that is handed to live subscriptions: inboxes count them. */
export type OnMessage = (tenant: string, channel: string, event: FramedEvent) => void

/** The channels that somebody on this node reads, and what is committed to them: from here to those who may still see it. */
export class Hub {
  readonly #feeds = new Map<string, Map<string, ChannelFeed>>()
  readonly #budget = new RecentBudget(RECENT_BYTES)
  readonly #readEvents: ReadEvents
  readonly #log: Logger
  readonly #onMessage: OnMessage

  constructor(parts: { readEvents: ReadEvents; log: Logger; onMessage: OnMessage }) {
    this.#readEvents = parts.readEvents
    this.#log = parts.log
    this.#onMessage = parts.onMessage
  }

  /** The channel's feed, for who is about to subscribe to it. */
  feed(tenant: string, channel: string): ChannelFeed {
    const feeds = this.#feeds.get(tenant) ?? new Map<string, ChannelFeed>()
    this.#feeds.set(tenant, feeds)
    const known = feeds.get(channel)
    if (known !== undefined) return known
    const feed = new ChannelFeed(tenant, channel, {
      readEvents: this.#readEvents,
      budget: this.#budget,
      onFault: (error) => this.#log.warn('feed.failed', { tenant, channel, error }),
      onMessage: (event) => this.#onMessage(tenant, channel, event),
    })
    feeds.set(channel, feed)
    return feed
  }

  /** A subscription has ended. A channel that nobody reads here costs nothing here. */
  left(feed: ChannelFeed): void {
    if (feed.subscriptions.size > 0) return
    feed.close()
    const feeds = this.#feeds.get(feed.tenant)
    if (feeds?.get(feed.channel) !== feed) return
    feeds.delete(feed.channel)
    if (feeds.size === 0) this.#feeds.delete(feed.tenant)
  }

  /** Whether anybody here reads the channel: else an event need not be framed. */
  isRead(tenant: string, channel: string): boolean {
    return this.#feeds.get(tenant)?.has(channel) === true
  }

  /** This node has committed an event. */
  committed(tenant: string, channel: string, event: FramedEvent): void {
    this.#feeds.get(tenant)?.get(channel)?.committed(event)
  }

  /** Somebody says how far a channel has got: another node's hint, or the poll. */
  learn(tenant: string, channel: string, head: number): void {
    this.#feeds.get(tenant)?.get(channel)?.learn(head)
  }

  /** Who is to be told what is not sequenced (receipts, typing, presence): subscriptions whose owner may read, now (P5). */
  *readers(tenant: string, channel: string): Iterable<Subscription> {
    for (const subscription of this.#feeds.get(tenant)?.get(channel)?.subscriptions ?? []) {
      if (subscription.mayRead()) yield subscription
    }
  }

  tenants(): Iterable<string> {
    return this.#feeds.keys()
  }

  channels(tenant: string): Iterable<string> {
    return this.#feeds.get(tenant)?.keys() ?? []
  }

  /** Lets go of the decrypted events of channels that have been quiet since the last call. */
  forgetIdle(): void {
    for (const feeds of this.#feeds.values()) for (const feed of feeds.values()) feed.forgetIdle()
  }
}
