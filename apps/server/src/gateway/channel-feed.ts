import { type FramedEvent, type RecentBudget, RecentEvents } from './recent-events.ts'
import type { Subscription } from './subscription.ts'

/** Reads the store: up to `limit` events of one channel after the sequence `after`, ascending. */
export type ReadEvents = (
  tenant: string,
  channel: string,
  after: number,
  limit: number,
) => Promise<readonly FramedEvent[]>

/** Events in one reading of the store, and about how many bytes: of large messages there are fewer. */
const MAX_PAGE = 200
const MIN_PAGE = 8
const PAGE_BYTES = 128 * 1024

/**
 * One channel on one node: hands each event to the live subscriptions exactly once and in order (P3). `delivered` is the last
 * sequence handed out. An event that is the next one goes out at once; anything else only says how far the store has got, and is
 * read from there (P6). Every live subscription has seen all up to `delivered`, some have already read further.
 */
export class ChannelFeed {
  readonly tenant: string
  readonly channel: string
  readonly subscriptions = new Set<Subscription>()
  readonly #recent: RecentEvents
  readonly #readEvents: ReadEvents
  readonly #onFault: (error: unknown) => void
  readonly #onMessage: (event: FramedEvent) => void
  /** Readings under way, by where they start: with what was known then, so that nobody joins one that began too early. */
  readonly #reads = new Map<number, { known: number; events: Promise<readonly FramedEvent[]> }>()
  /** Null until the first subscription has read the head. */
  #delivered: number | null = null
  #known = 0
  #catchingUp = false
  /** How large a frame of this channel is, about. */
  #frameBytes = 512
  #idleSince = 0

  constructor(
    tenant: string,
    channel: string,
    parts: {
      readEvents: ReadEvents
      budget: RecentBudget
      onFault: (error: unknown) => void
      onMessage: (event: FramedEvent) => void
    },
  ) {
    this.tenant = tenant
    this.channel = channel
    this.#recent = new RecentEvents(parts.budget)
    this.#readEvents = parts.readEvents
    this.#onFault = parts.onFault
    this.#onMessage = parts.onMessage
  }

  /** The last sequence handed to live subscriptions; null before `begin`. */
  get delivered(): number | null {
    return this.#delivered
  }

  /** The last sequence that is known to be committed. */
  get known(): number {
    return this.#known
  }

  /** The store's head, read after the subscription was added: what is committed from then on is not missed. */
  begin(head: number): void {
    this.#delivered ??= head
    this.learn(head)
  }

  /** An event that this node has committed itself. */
  committed(event: FramedEvent): void {
    if (event.seq > this.#known) this.#known = event.seq
    if (this.#delivered === null) return
    if (event.seq === this.#delivered + 1) this.#deliver(event)
    else this.#catchUp()
  }

  /** Somebody says that the channel has got as far as `head`. */
  learn(head: number): void {
    if (head > this.#known) this.#known = head
    if (this.#delivered !== null && this.#known > this.#delivered) this.#catchUp()
  }

  /** Events after `after`, from memory if they are there; several who ask for the same are served by one reading. */
  async read(after: number): Promise<readonly FramedEvent[]> {
    const recent = this.#recent.since(after, MAX_PAGE)
    if (recent !== null) return recent
    const underWay = this.#reads.get(after)
    if (underWay?.known === this.#known) return underWay.events
    const reading = {
      known: this.#known,
      events: this.#readPage(after).finally(() => {
        if (this.#reads.get(after) === reading) this.#reads.delete(after)
      }),
    }
    this.#reads.set(after, reading)
    return reading.events
  }

  /** Lets go of the decrypted events if none has come since the last call. */
  forgetIdle(): void {
    if (this.#idleSince === this.#known) this.#recent.clear()
    this.#idleSince = this.#known
  }

  close(): void {
    this.#recent.clear()
  }

  #deliver(event: FramedEvent): void {
    this.#delivered = event.seq
    if (event.seq > this.#known) this.#known = event.seq
    this.#recent.push(event)
    for (const subscription of this.subscriptions) subscription.offer(event)
    if (event.sender !== null) this.#onMessage(event)
  }

  async #readPage(after: number): Promise<readonly FramedEvent[]> {
    const limit = Math.min(MAX_PAGE, Math.max(MIN_PAGE, Math.floor(PAGE_BYTES / this.#frameBytes)))
    const events = await this.#readEvents(this.tenant, this.channel, after, limit)
    if (events.length > 0) this.#frameBytes = events.reduce((sum, { frame }) => sum + frame.length, 0) / events.length
    return events
  }

  #catchUp(): void {
    if (this.#catchingUp) return
    this.#catchingUp = true
    void this.#readOn().finally(() => {
      this.#catchingUp = false
    })
  }

  async #readOn(): Promise<void> {
    while (this.#delivered !== null && this.#delivered < this.#known && this.subscriptions.size > 0) {
      try {
        const known = this.#known
        const events = await this.#readPage(this.#delivered)
        // A head that the store does not show: the hint of a transaction that was lost. The next poll says what is true.
        if (events.length === 0 && this.#known === known) {
          this.#known = this.#delivered
          return
        }
        for (const event of events) if (event.seq > this.#delivered) this.#deliver(event)
      } catch (error) {
        this.#onFault(error)
        return
      }
    }
  }
}
