import type { Actor, ChannelResource, PolicySettings } from '@wardline/policy'
import type { Clock } from '../clock.ts'
import { Refusal } from '../errors.ts'
import { encode } from './frame.ts'
import type { Gateway } from './gateway.ts'
import type { Health } from './health.ts'
import type { Line } from './line.ts'
import { type Subscriber, Subscription } from './subscription.ts'

/** A store that could not be read is asked again after this. */
const READ_AGAIN_MS = 1_000
/** Subscriptions of one socket that read the store at once: of hundreds that come back together each would hold a page (channel-feed.ts). */
const MAX_READING = 8

/**
 * What one signed-in socket is subscribed to, and how fast it reads: past `bufferBytes` its subscriptions are put off;
 * while one waits for room nothing is read from it; when half of that has drained they read on from the store, a few at a time. So what a socket can hold is
 * bounded: `bufferBytes`, the answers to what is in flight, and a few pages.
 */
export class Reader implements Subscriber {
  readonly line: Line
  readonly clock: Clock
  readonly policy: PolicySettings
  readonly bufferBytes: number
  readonly #gateway: Gateway
  readonly #health: Health
  readonly #lookBy: (at: number) => void
  readonly #subscriptions = new Map<string, Subscription>()
  readonly #behind = new Set<Subscription>()
  #waitingForRoom: (() => void)[] = []
  #waitingToRead: (() => void)[] = []
  #reading = 0
  #readAgainAt = Number.POSITIVE_INFINITY
  #actor: Actor

  /** `lookBy` asks for `due` to be called by a time. */
  constructor(gateway: Gateway, line: Line, health: Health, actor: Actor, lookBy: (at: number) => void) {
    this.line = line
    this.clock = gateway.clock
    this.policy = gateway.policy
    this.bufferBytes = gateway.config.limits.bufferBytes
    this.#gateway = gateway
    this.#health = health
    this.#lookBy = lookBy
    this.#actor = actor
  }

  get actor(): Actor {
    return this.#actor
  }

  /** What the person may do has changed: what they may no longer read ends here and now. */
  become(actor: Actor): void {
    this.#actor = actor
    for (const subscription of [...this.#subscriptions.values()]) subscription.mayRead()
  }

  subscription(channel: string): Subscription | undefined {
    return this.#subscriptions.get(channel)
  }

  /** @throws Refusal when it would be one too many. */
  subscribe(channel: ChannelResource): Subscription {
    this.#subscriptions.get(channel.id)?.close()
    if (this.#subscriptions.size >= this.#gateway.config.limits.subscriptions) {
      throw new Refusal('rate-limited', 'subscriptions')
    }
    const subscription = new Subscription(this.#gateway.hub.feed(channel.tenant, channel.id), channel, this)
    this.#subscriptions.set(channel.id, subscription)
    return subscription
  }

  /** Something was sent that is no event: an answer, a state. */
  sent(): void {
    if (this.line.backlog > this.bufferBytes) this.#fallBehind()
  }

  fellBehind(subscription: Subscription): void {
    this.#behind.add(subscription)
    this.#fallBehind()
  }

  readFailed(subscription: Subscription, error: unknown): void {
    this.#gateway.log.warn('replay.failed', {
      tenant: subscription.channel.tenant,
      channel: subscription.channel.id,
      error,
    })
    this.#behind.add(subscription)
    this.#readAgainAt = this.clock.now() + READ_AGAIN_MS
    this.#lookBy(this.#readAgainAt)
  }

  missedReceipts(subscription: Subscription): void {
    const { id, tenant } = subscription.channel
    this.reading(() => this.#gateway.database.readReceipts(tenant, id)).then(
      (receipts) => {
        for (const { userId: user, delivered, read } of receipts) {
          subscription.tell(encode({ type: 'receipt.moved', channel: id, user, delivered, read }))
        }
      },
      (error: unknown) => this.#gateway.log.warn('receipts.failed', { tenant, channel: id, error }),
    )
  }

  room(): Promise<void> {
    if (this.line.backlog <= this.bufferBytes / 2) return Promise.resolve()
    // Also below `bufferBytes`: nothing more is sent to it now, so nothing else would find out that it no longer reads.
    this.#fallBehind()
    return new Promise((resolve) => this.#waitingForRoom.push(resolve))
  }

  async turn(): Promise<() => void> {
    if (this.#reading < MAX_READING) this.#reading += 1
    else await new Promise<void>((resolve) => this.#waitingToRead.push(resolve))
    await this.room()
    return () => {
      // Whoever waits takes the place over.
      const next = this.#waitingToRead.shift()
      if (next === undefined) this.#reading -= 1
      else next()
    }
  }

  reading<T>(read: () => Promise<T>): Promise<T> {
    const { tenant, user } = this.#actor
    return this.#gateway.readings.run(`${tenant}/${user}`, read)
  }

  ended(subscription: Subscription): void {
    this.#behind.delete(subscription)
    const { id } = subscription.channel
    if (this.#subscriptions.get(id) === subscription) this.#subscriptions.delete(id)
    this.#gateway.hub.left(subscription.feed)
  }

  /** The backlog has fallen. */
  written(): void {
    if (this.line.backlog > this.bufferBytes / 2) return
    for (const resolve of this.#waitingForRoom.splice(0)) resolve()
    if (!this.#health.behind) return
    this.#health.caughtUp(this.clock.now())
    this.line.resume()
    this.#catchUp()
  }

  /** Ends what has lapsed by time alone, and reads again what could not be read. */
  due(now: number): void {
    for (const subscription of [...this.#subscriptions.values()]) if (now >= subscription.until) subscription.mayRead()
    if (now < this.#readAgainAt) return
    this.#readAgainAt = Number.POSITIVE_INFINITY
    if (!this.#health.behind) this.#catchUp()
  }

  /** When `due` is to be called next. */
  next(): number {
    let next = this.#readAgainAt
    for (const { until } of this.#subscriptions.values()) if (until < next) next = until
    return next
  }

  close(): void {
    for (const subscription of [...this.#subscriptions.values()]) subscription.close()
    this.#waitingForRoom = []
    this.#waitingToRead = []
  }

  #fallBehind(): void {
    const now = this.clock.now()
    if (!this.#health.fellBehind(now)) return
    this.line.pause()
    this.#lookBy(this.#health.next())
  }

  #catchUp(): void {
    const behind = [...this.#behind]
    this.#behind.clear()
    for (const subscription of behind) void subscription.catchUp()
  }
}
