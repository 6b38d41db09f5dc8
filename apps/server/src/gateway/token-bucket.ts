/** Of fractions of a token, in binary. */
const ROUNDING = 1e-6

/** A rate with a burst: `perSecond` sustained, `burst` at once. Costs two numbers and no timer. */
export class TokenBucket {
  #tokens: number
  #at: number
  #perMs: number
  readonly #burst: number

  /** `now`: milliseconds, of a clock that later calls use as well. */
  constructor(perSecond: number, burst: number, now: number) {
    this.#perMs = perSecond / 1000
    this.#burst = burst
    this.#tokens = burst
    this.#at = now
  }

  /** Takes one token. Answers 0, or in how many milliseconds there will be one, and then takes nothing. */
  take(now: number): number {
    this.#refill(now)
    if (this.#tokens < 1 - ROUNDING) return Math.max(1, Math.ceil((1 - this.#tokens) / this.#perMs - ROUNDING))
    this.#tokens -= 1
    return 0
  }

  /** Takes back the last `take`: it turned out to be none of what is counted. */
  giveBack(): void {
    this.#tokens = Math.min(this.#burst, this.#tokens + 1)
  }

  /** From `now` on tokens come at another pace. */
  refillAt(perSecond: number, now: number): void {
    this.#refill(now)
    this.#perMs = perSecond / 1000
  }

  /** Whether all of the burst is there again: then the bucket says nothing that a new one would not. */
  isFull(now: number): boolean {
    this.#refill(now)
    return this.#tokens >= this.#burst
  }

  #refill(now: number): void {
    // A clock that was set back gives nothing and takes nothing.
    if (now > this.#at) this.#tokens = Math.min(this.#burst, this.#tokens + (now - this.#at) * this.#perMs)
    this.#at = now
  }
}
