import type { Frame } from './frame.ts'

/** One event of a channel, framed for whoever may read it. */
export interface FramedEvent {
  readonly seq: number
  readonly frame: Frame
  /** Who posted it, where it is a message: what an inbox counts. */
  readonly sender: string | null
  readonly urgent: boolean
}

/** What all channels of a node may keep together, in bytes. */
export class RecentBudget {
  used = 0
  readonly limit: number
  constructor(limit: number) {
    this.limit = limit
  }
}

const MAX_EVENTS = 128
const MAX_BYTES = 64 * 1024

/**
 * The last events of one channel, without a hole: what a client asks for that was cut off for a moment, and what many ask for
 * at once when a node went away. They are decrypted, so they are few and short-lived.
 */
export class RecentEvents {
  #events: FramedEvent[] = []
  #bytes = 0
  readonly #budget: RecentBudget

  constructor(budget: RecentBudget) {
    this.#budget = budget
  }

  /** Keeps `event`; if it does not follow the last one, nothing before it. */
  push(event: FramedEvent): void {
    const last = this.#events.at(-1)
    if (last !== undefined && event.seq !== last.seq + 1) this.clear()
    this.#events.push(event)
    this.#count(event.frame.length)
    while (this.#events.length > MAX_EVENTS || this.#bytes > MAX_BYTES) this.#dropFirst()
    if (this.#budget.used > this.#budget.limit) this.clear()
  }

  /** Up to `limit` events from `after + 1` on, or null where that is no longer, or not yet, here. */
  since(after: number, limit: number): readonly FramedEvent[] | null {
    const first = this.#events[0]
    if (first === undefined || after + 1 < first.seq) return null
    const start = after + 1 - first.seq
    return start >= this.#events.length ? null : this.#events.slice(start, start + limit)
  }

  clear(): void {
    this.#count(-this.#bytes)
    this.#events = []
  }

  #dropFirst(): void {
    const first = this.#events.shift()
    if (first !== undefined) this.#count(-first.frame.length)
  }

  #count(bytes: number): void {
    this.#bytes += bytes
    this.#budget.used += bytes
  }
}
