/**
 * A task that is never under way twice. Whoever asks meanwhile shares the one run that follows: what it brings was begun after
 * they asked.
 */
export class Coalesced {
  readonly #task: () => Promise<void>
  #running: Promise<void> | null = null
  #next: Promise<void> | null = null

  constructor(task: () => Promise<void>) {
    this.#task = task
  }

  /** The last run that was asked for, as `run` gave it; null: none is under way. */
  get underWay(): Promise<void> | null {
    return this.#next ?? this.#running
  }

  /** Rejects as the task does. */
  run(): Promise<void> {
    if (this.#next !== null) return this.#next
    if (this.#running === null) return this.#start()
    this.#next = this.#running
      .catch(() => undefined)
      .then(() => {
        this.#next = null
        return this.#start()
      })
    return this.#next
  }

  #start(): Promise<void> {
    this.#running = this.#task().finally(() => {
      this.#running = null
    })
    return this.#running
  }
}
