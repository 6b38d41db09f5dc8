import type { Clock } from '../clock.ts'
import { TokenBucket } from '../gateway/token-bucket.ts'

/** Keys are forgotten at this pace, once they are as good as new. */
const SWEEP_MS = 60_000
/** Keys remembered at once. Beyond it new ones wait for the next sweep: memory is bounded before it is fair. */
const MAX_KEYS = 100_000

/** A rate of its own for each key: an address, a session. `perSecond` sustained, `burst` at once. */
export class KeyedRate {
  readonly #perSecond: number
  readonly #burst: number
  readonly #clock: Clock
  readonly #buckets = new Map<string, TokenBucket>()
  readonly #stop: () => void

  constructor({ perSecond, burst }: { perSecond: number; burst: number }, clock: Clock) {
    this.#perSecond = perSecond
    this.#burst = burst
    this.#clock = clock
    this.#stop = clock.every(SWEEP_MS, () => this.#sweep())
  }

  /** Counts one. Answers 0, or in how many milliseconds the next one may come; then this one is not to be done. */
  take(key: string): number {
    const now = this.#clock.now()
    const known = this.#buckets.get(key)
    if (known !== undefined) return known.take(now)
    if (this.#buckets.size >= MAX_KEYS) return SWEEP_MS
    const bucket = new TokenBucket(this.#perSecond, this.#burst, now)
    this.#buckets.set(key, bucket)
    return bucket.take(now)
  }

  close(): void {
    this.#stop()
  }

  #sweep(): void {
    const now = this.#clock.now()
    for (const [key, bucket] of this.#buckets) if (bucket.isFull(now)) this.#buckets.delete(key)
  }
}

/** So many in a minute, all of them at once if need be. */
export function perMinute(count: number): { perSecond: number; burst: number } {
  return { perSecond: count / 60, burst: count }
}
