import type { Clock } from '../clock.ts'
import { networkOf } from '../gateway/admission.ts'
import { TokenBucket } from '../gateway/token-bucket.ts'

/** Addresses are forgotten at this pace, once they are as good as new. */
const SWEEP_MS = 60_000
/** Addresses remembered at once. Beyond it strangers wait for the next sweep: memory is bounded before it is fair. */
const MAX_ADDRESSES = 100_000

/** A rate per client address (an IPv6 address counts as its /64), all of a minute's share at once if need be. */
export class AddressRate {
  readonly #perMinute: number
  readonly #clock: Clock
  readonly #buckets = new Map<string, TokenBucket>()
  readonly #stop: () => void

  constructor(perMinute: number, clock: Clock) {
    this.#perMinute = perMinute
    this.#clock = clock
    this.#stop = clock.every(SWEEP_MS, () => this.#sweep())
  }

  /** Counts one. Answers 0, or in how many milliseconds the next one may come; then this one is not to be done. */
  take(address: string): number {
    const network = networkOf(address)
    const now = this.#clock.now()
    const known = this.#buckets.get(network)
    if (known !== undefined) return known.take(now)
    if (this.#buckets.size >= MAX_ADDRESSES) return SWEEP_MS
    const bucket = new TokenBucket(this.#perMinute / 60, this.#perMinute, now)
    this.#buckets.set(network, bucket)
    return bucket.take(now)
  }

  close(): void {
    this.#stop()
  }

  #sweep(): void {
    const now = this.#clock.now()
    for (const [network, bucket] of this.#buckets) if (bucket.isFull(now)) this.#buckets.delete(network)
  }
}
