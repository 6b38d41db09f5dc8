/** The part of the server's limits that is used, so that two clocks that differ a little never lead to a refusal. */
const HEADROOM = 0.9

/** A token bucket that keeps what is sent within the server's `requestsPerSecond` and `requestBurst`. */
export class Pace {
  readonly #now: () => number
  readonly #perMs: number
  readonly #burst: number
  #tokens: number
  #at: number

  constructor(limits: { requestsPerSecond: number; requestBurst: number }, now: () => number) {
    this.#now = now
    this.#perMs = (limits.requestsPerSecond * HEADROOM) / 1000
    this.#burst = Math.max(1, Math.floor(limits.requestBurst * HEADROOM))
    this.#tokens = this.#burst
    this.#at = now()
  }

  /** Milliseconds until one more may be sent; 0 when it may be now. */
  waitMs(): number {
    const now = this.#now()
    // A clock set back must not stop the flow.
    const elapsedMs = Math.max(0, now - this.#at)
    this.#at = now
    this.#tokens = Math.min(this.#burst, this.#tokens + elapsedMs * this.#perMs)
    return this.#tokens >= 1 ? 0 : Math.ceil((1 - this.#tokens) / this.#perMs)
  }

  /** Counts one that is sent now, allowed or not: a renewal does not wait. */
  take(): void {
    this.#tokens -= 1
  }
}
