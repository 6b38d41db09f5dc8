import type { Clock } from '../clock.ts'

/** How long a network is remembered after somebody has signed in on a socket there. */
const REMEMBERED_MS = 86_400_000
/** Networks remembered at once, some 150 bytes each. */
const MAX_NETWORKS = 10_000

/** Networks from which somebody has signed in on a socket of late: a crowd from there is people who come back, as after an outage. */
export class FamiliarNetworks {
  readonly #clock: Pick<Clock, 'now'>
  /** When somebody signed in there last, the longest ago first. */
  readonly #seenAt = new Map<string, number>()
  readonly #listeners: ((network: string) => void)[] = []

  constructor(clock: Pick<Clock, 'now'>) {
    this.#clock = clock
  }

  has(network: string): boolean {
    return this.#clock.now() < (this.#seenAt.get(network) ?? Number.NEGATIVE_INFINITY) + REMEMBERED_MS
  }

  /** Somebody has signed in from there. */
  note(network: string): void {
    const isNew = !this.has(network)
    this.#seenAt.delete(network)
    this.#seenAt.set(network, this.#clock.now())
    const [oldest] = this.#seenAt.keys()
    if (this.#seenAt.size > MAX_NETWORKS && oldest !== undefined) this.#seenAt.delete(oldest)
    if (isNew) for (const listener of this.#listeners) listener(network)
  }

  /** `listener` is called with each network that becomes familiar. */
  onNew(listener: (network: string) => void): void {
    this.#listeners.push(listener)
  }
}
