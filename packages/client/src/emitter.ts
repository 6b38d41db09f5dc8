import type { OnFault } from './fault.ts'

/** Named events to any number of listeners, in the order they came. A listener that throws harms no other. */
export class Emitter<Events> {
  /** Lists are replaced and not changed: who comes or goes during an event neither hears it twice nor upsets the others. */
  readonly #listeners = new Map<keyof Events, readonly ((value: never) => void)[]>()
  readonly #onFault: OnFault

  constructor(onFault: OnFault) {
    this.#onFault = onFault
  }

  /** Listens until the returned function is called. */
  on<K extends keyof Events>(name: K, run: (value: Events[K]) => void): () => void {
    // Its own function for each call: the same listener may be attached twice and detached once.
    const listener = (value: Events[K]) => run(value)
    this.#listeners.set(name, [...(this.#listeners.get(name) ?? []), listener])
    return () => {
      const others = (this.#listeners.get(name) ?? []).filter((other) => other !== listener)
      this.#listeners.set(name, others)
    }
  }

  emit<K extends keyof Events>(name: K, value: Events[K]): void {
    const listeners = (this.#listeners.get(name) ?? []) as readonly ((value: Events[K]) => void)[]
    for (const listener of listeners) {
      try {
        listener(value)
      } catch (error) {
        this.#onFault({ kind: 'handler', error })
      }
    }
  }

  has(name: keyof Events): boolean {
    return (this.#listeners.get(name) ?? []).length > 0
  }
}
