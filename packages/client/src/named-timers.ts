import type { Cancel, Environment } from './environment.ts'

/** A few timers of one owner, each known by what it is for; together they can be stopped. */
export class NamedTimers<Name extends string> {
  readonly #setTimer: Environment['setTimer']
  readonly #running = new Map<Name, Cancel>()

  constructor(setTimer: Environment['setTimer']) {
    this.#setTimer = setTimer
  }

  /** Starts it anew. */
  set(name: Name, ms: number, run: () => void): void {
    this.stop(name)
    const cancel = this.#setTimer(ms, () => {
      this.#running.delete(name)
      run()
    })
    this.#running.set(name, cancel)
  }

  /** Starts it unless it runs. */
  ensure(name: Name, ms: number, run: () => void): void {
    if (!this.#running.has(name)) this.set(name, ms, run)
  }

  stop(name: Name): void {
    this.#running.get(name)?.()
    this.#running.delete(name)
  }

  stopAll(): void {
    for (const cancel of this.#running.values()) cancel()
    this.#running.clear()
  }
}
