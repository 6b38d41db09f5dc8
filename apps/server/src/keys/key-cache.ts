import type { Clock } from '../clock.ts'
import type { SealKey } from './envelope.ts'

type Entry = { readonly key: Promise<SealKey>; readonly until: number }

/** Opened keys, the least recently used dropped first. One load serves all who ask at once; a failed one is not kept. */
export class KeyCache {
  readonly #entries = new Map<string, Entry>()
  readonly #clock: Clock
  readonly #bound: { readonly entries: number; readonly ms: number }

  /** @param bound how many, and for how many milliseconds each */
  constructor(clock: Clock, bound: { readonly entries: number; readonly ms: number }) {
    this.#clock = clock
    this.#bound = bound
  }

  get(name: string, load: () => Promise<SealKey>): Promise<SealKey> {
    const now = this.#clock.now()
    const known = this.#entries.get(name)
    this.#entries.delete(name)
    const entry = known !== undefined && now < known.until ? known : { key: load(), until: now + this.#bound.ms }
    this.#entries.set(name, entry)
    if (entry !== known) entry.key.catch(() => this.#forget(name, entry))
    if (this.#entries.size > this.#bound.entries) {
      const [oldest] = this.#entries.keys()
      if (oldest !== undefined) this.#entries.delete(oldest)
    }
    return entry.key
  }

  forget(name: string): void {
    this.#entries.delete(name)
  }

  #forget(name: string, entry: Entry): void {
    if (this.#entries.get(name) === entry) this.#entries.delete(name)
  }
}
