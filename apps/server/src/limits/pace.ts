import { performance } from 'node:perf_hooks'

/** After so long (ms) the next one is begun in any case. */
const MAX_REST_MS = 20

export type PaceParts = {
  /** Between two there is so much time at least, in milliseconds; by default none. */
  readonly restMs?: number
  /** The next one is begun when the loop has been idle for as long as it was busy since the last, and after so long (ms) in any case. */
  readonly maxRestMs?: number
  /** Whether so many of a network are on their way in already that the next one rests for as long as any does. */
  readonly isCrowded?: (network: string) => boolean
  /** Calls back in another turn of the loop, after `ms` milliseconds. */
  readonly later?: (ms: number, run: () => void) => void
  /** What the loop has been doing for how many milliseconds, all in all. */
  readonly usage?: () => Usage
}

type Usage = { readonly idle: number; readonly active: number }

/**
 * Begins what strangers ask for one at a time, and only as fast as half of the loop stays idle: what a thousand peers ask for at once
 * must not keep this thread from who is signed in. Networks take turns, so one that asks for much waits for itself.
 */
export class Pace {
  readonly #restMs: number
  readonly #maxRestMs: number
  readonly #isCrowded: (network: string) => boolean
  readonly #later: (ms: number, run: () => void) => void
  readonly #usage: () => Usage
  /** What is to be begun, by network, in the order of their turns. */
  readonly #waiting = new Map<string, Set<() => void>>()
  #isScheduled = false
  /** As the last one began. */
  #since: Usage

  constructor(parts: PaceParts = {}) {
    this.#restMs = parts.restMs ?? 0
    this.#maxRestMs = parts.maxRestMs ?? MAX_REST_MS
    this.#isCrowded = parts.isCrowded ?? (() => false)
    this.#later = parts.later ?? ((ms, run) => void (ms === 0 ? setImmediate(run) : setTimeout(run, ms)))
    this.#usage = parts.usage ?? (() => performance.eventLoopUtilization())
    this.#since = this.#usage()
  }

  /** How many wait for their turn. */
  get waiting(): number {
    let count = 0
    for (const same of this.#waiting.values()) count += same.size
    return count
  }

  /** `begin` is called in its turn, unless it is left out before. Asked for twice, it is called once. */
  await(network: string, begin: () => void): void {
    const same = this.#waiting.get(network)
    if (same === undefined) this.#waiting.set(network, new Set([begin]))
    else same.add(begin)
    this.#schedule(0)
  }

  leaveOut(network: string, begin: () => void): void {
    const same = this.#waiting.get(network)
    if (same?.delete(begin) && same.size === 0) this.#waiting.delete(network)
  }

  /** Whatever of the network waits here waits there from now on. */
  moveTo(other: Pace, network: string): void {
    const same = this.#waiting.get(network)
    this.#waiting.delete(network)
    for (const begin of same ?? []) other.await(network, begin)
  }

  #schedule(ms: number): void {
    if (this.#isScheduled || this.#waiting.size === 0) return
    this.#isScheduled = true
    this.#later(ms, () => {
      this.#isScheduled = false
      const [first] = this.#waiting
      if (first !== undefined && this.#isRested(first[0])) this.#next(...first)
      this.#schedule(Math.max(1, this.#restMs / 10))
    })
  }

  #isRested(network: string): boolean {
    const now = this.#usage()
    const idle = now.idle - this.#since.idle
    const active = now.active - this.#since.active
    const passed = idle + active
    if (passed < this.#restMs) return false
    return this.#isCrowded(network) ? passed >= MAX_REST_MS : idle >= active || passed >= this.#maxRestMs
  }

  #next(network: string, same: Set<() => void>): void {
    const [begin] = same
    // The last in line from now on, if there is more of it.
    this.#waiting.delete(network)
    this.#waiting.set(network, same)
    this.#since = this.#usage()
    if (begin === undefined) return
    this.leaveOut(network, begin)
    begin()
  }
}
