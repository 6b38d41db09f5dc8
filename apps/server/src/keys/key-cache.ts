import type { Clock } from '../clock.ts'
import { isUnavailable } from '../storage/errors.ts'
import type { SealKey } from './envelope.ts'

type Entry = {
  readonly loading: Promise<SealKey>
  loaded: SealKey | undefined
  readonly since: number
  renewing: boolean
}

type Load = () => Promise<SealKey>

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

  get(name: string, load: Load): Promise<SealKey> {
    return (this.#fresh(name) ?? this.#add(name, load)).loading
  }

  /** What is there now, without waiting. Past half its time it is loaded anew meanwhile, so that one in use never lapses. */
  peek(name: string, load: Load): SealKey | undefined {
    const entry = this.#fresh(name)
    if (entry === undefined) return undefined
    if (!entry.renewing && this.#clock.now() >= entry.since + this.#bound.ms / 2) {
      entry.renewing = true
      void this.#renew(name, entry, load)
    }
    return entry.loaded
  }

  forget(name: string): void {
    this.#entries.delete(name)
  }

  #fresh(name: string): Entry | undefined {
    const entry = this.#entries.get(name)
    if (entry === undefined) return undefined
    this.#entries.delete(name)
    if (this.#clock.now() >= entry.since + this.#bound.ms) return undefined
    this.#entries.set(name, entry)
    return entry
  }

  #add(name: string, load: Load): Entry {
    const entry: Entry = { loading: load(), loaded: undefined, since: this.#clock.now(), renewing: false }
    this.#entries.set(name, entry)
    entry.loading.then(
      (key) => {
        entry.loaded = key
      },
      () => this.#drop(name, entry),
    )
    if (this.#entries.size > this.#bound.entries) {
      const [oldest] = this.#entries.keys()
      if (oldest !== undefined) this.#entries.delete(oldest)
    }
    return entry
  }

  /** A key that was shredded is dropped at once; where the database is only away, the entry lives out its time. */
  async #renew(name: string, entry: Entry, load: Load): Promise<void> {
    const since = this.#clock.now()
    try {
      const loading = load()
      const loaded = await loading
      if (this.#entries.get(name) === entry) this.#entries.set(name, { loading, loaded, since, renewing: false })
    } catch (error) {
      if (isUnavailable(error)) entry.renewing = false
      else this.#drop(name, entry)
    }
  }

  #drop(name: string, entry: Entry): void {
    if (this.#entries.get(name) === entry) this.#entries.delete(name)
  }
}
