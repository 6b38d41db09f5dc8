import { StorageUnavailable } from './errors.ts'
import { Writers } from './writer.ts'

/** A lane runs one transaction at a time; what it holds beside its writers (a connection, or nothing) is its own. */
export type Lane<T> = { readonly writers: Writers; readonly own: T }

type Waiter<T> = {
  tenantId: string
  resolve: (lane: Lane<T>) => void
  reject: (error: Error) => void
  cancel: () => void
}

/** Gives lanes out, first come first served; to a tenant the one that already writes for it, where that is free. */
export class Lanes<T> {
  readonly #free: Lane<T>[]
  readonly #waiting: Waiter<T>[] = []
  readonly #limits: { readonly waiting: number; readonly waitMs: number }

  /** @param limits how many may wait for a lane, and for how long; beyond it `StorageUnavailable` */
  constructor(own: readonly T[], limits: { readonly waiting: number; readonly waitMs: number }) {
    this.#free = own.map((each) => ({ writers: new Writers(), own: each }))
    this.#limits = limits
  }

  /** Runs with a lane of its own. @throws StorageUnavailable when none is free in time */
  async run<R>(tenantId: string, run: (lane: Lane<T>) => Promise<R>): Promise<R> {
    const lane = this.#take(tenantId) ?? (await this.#wait(tenantId))
    try {
      return await run(lane)
    } finally {
      this.#give(lane)
    }
  }

  #take(tenantId: string): Lane<T> | undefined {
    const known = this.#free.findIndex((lane) => lane.writers.has(tenantId))
    return known === -1 ? this.#free.pop() : this.#free.splice(known, 1)[0]
  }

  #wait(tenantId: string): Promise<Lane<T>> {
    if (this.#waiting.length >= this.#limits.waiting) throw new StorageUnavailable('too many transactions wait')
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiter), 1)
        reject(new StorageUnavailable('no lane became free in time'))
      }, this.#limits.waitMs)
      const waiter: Waiter<T> = { tenantId, resolve, reject, cancel: () => clearTimeout(timer) }
      this.#waiting.push(waiter)
    })
  }

  #give(lane: Lane<T>): void {
    const next = this.#waiting.shift()
    if (next === undefined) {
      this.#free.push(lane)
      return
    }
    next.cancel()
    next.resolve(lane)
  }
}
