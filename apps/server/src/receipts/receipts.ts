import type { Bus } from '../bus/bus.ts'
import type { Clock } from '../clock.ts'
import type { CommitRequest, Committers } from '../gateway/committer.ts'
import { encode } from '../gateway/frame.ts'
import type { Hub } from '../gateway/hub.ts'
import type { Inboxes } from '../gateway/inboxes.ts'
import type { Logger } from '../log.ts'
import type { CommitResult, ReceiptItem } from '../storage/channel-event.ts'

/** What was only delivered waits for so long for more of its kind; what was read goes at once. */
const DELIVERED_WAIT_MS = 500
const ITEM_BYTES = 256
/** Receipts that wait; when the store is away for long, older ones are as good as the client's next. */
const MAX_WAITING = 50_000

/** Somebody's place in a channel, as it now holds. */
export interface Moved {
  readonly channel: string
  readonly user: string
  readonly delivered: number
  readonly read: number
}

type Parts = {
  readonly clock: Clock
  readonly committers: Committers
  readonly hub: Hub
  readonly inboxes: Inboxes
  readonly bus: Bus
  readonly log: Logger
}

/**
 * Gathers how far people have got: of several marks of one person in one channel only the furthest is committed, with whatever else
 * is being committed, and then told to who reads the channel, on every node.
 */
export class Receipts {
  readonly #parts: Parts
  readonly #waiting = new Map<string, { tenant: string; item: ReceiptItem }>()
  readonly #underWay = new Set<string>()
  #cancelTimer: (() => void) | null = null

  constructor(parts: Parts) {
    this.#parts = parts
  }

  mark(tenant: string, item: ReceiptItem): void {
    const key = keyOf(tenant, item)
    const before = this.#waiting.get(key)
    if (before === undefined && this.#waiting.size >= MAX_WAITING) return
    const merged = before === undefined ? item : furthest(before.item, item)
    this.#waiting.set(key, { tenant, item: merged })
    // Behind one of the same kind that is under way, it goes when that is through.
    if (this.#underWay.has(key)) return
    if (merged.read > 0) this.#submit(key)
    else this.#cancelTimer ??= this.#parts.clock.after(DELIVERED_WAIT_MS, () => this.#submitAll())
  }

  /** A receipt has moved: here, or on another node. */
  announce(tenant: string, moved: Moved): void {
    const { hub, inboxes } = this.#parts
    inboxes.read(tenant, moved)
    if (!hub.isRead(tenant, moved.channel)) return
    const frame = encode({ type: 'receipt.moved', ...moved })
    for (const reader of hub.readers(tenant, moved.channel)) reader.tell(frame)
  }

  /** Submits what waits: before a node stops. */
  flush(): void {
    this.#submitAll()
  }

  #submitAll(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = null
    for (const key of [...this.#waiting.keys()]) if (!this.#underWay.has(key)) this.#submit(key)
  }

  #submit(key: string): void {
    const waiting = this.#waiting.get(key)
    if (waiting === undefined) return
    const { tenant, item } = waiting
    const request: CommitRequest = {
      item,
      bytes: ITEM_BYTES,
      settled: (result) => {
        this.#through(key)
        this.#settled(tenant, item, result)
      },
      failed: (error) => {
        this.#through(key)
        this.#parts.log.warn('receipt.failed', { tenant, channel: item.channelId, error })
      },
    }
    this.#waiting.delete(key)
    try {
      this.#parts.committers.of(tenant).submit(request)
      this.#underWay.add(key)
    } catch (error) {
      this.#parts.log.warn('receipt.failed', { tenant, channel: item.channelId, error })
    }
  }

  #through(key: string): void {
    this.#underWay.delete(key)
    if (this.#waiting.has(key)) this.#submit(key)
  }

  #settled(tenant: string, { channelId: channel, userId: user }: ReceiptItem, result: CommitResult): void {
    if (result.verdict !== 'read' && result.verdict !== 'moved') return
    const { delivered, read } = result
    this.announce(tenant, { channel, user, delivered, read })
    this.#parts.bus.publish({ k: 'receipt', t: tenant, c: channel, u: user, delivered, read })
  }
}

function keyOf(tenant: string, { channelId, userId }: ReceiptItem): string {
  return `${tenant}/${channelId}/${userId}`
}

function furthest(before: ReceiptItem, item: ReceiptItem): ReceiptItem {
  const delivered = Math.max(before.delivered, item.delivered)
  return item.read > before.read ? { ...item, delivered } : { ...before, delivered }
}
