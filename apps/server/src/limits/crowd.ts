/**
 * Those who have a place that is one of few, by network. When all are taken, the network with most of them gives one up for one with fewer
 * (max-min fairness): a handful of addresses cannot keep everybody else out by taking all places and doing nothing with them.
 */
export class Crowd {
  /** Of each network how to take its places away, the oldest first. */
  readonly #places = new Map<string, Set<() => void>>()
  /** Networks by the number of their places, so that the largest is found at once. */
  readonly #bySize = new Map<number, Set<string>>()
  #largest = 0
  #size = 0

  get size(): number {
    return this.#size
  }

  /** Takes a place; `giveWay` is called when it is taken away. Answers how to leave it, as often as one likes. */
  enter(network: string, giveWay: () => void): () => void {
    const places = this.#places.get(network) ?? new Set()
    this.#places.set(network, places)
    const place = () => giveWay()
    places.add(place)
    this.#moved(network, places.size - 1, places.size)
    return () => this.#leave(network, place)
  }

  /** Whether the network with most places has given its oldest up, to one that would have fewer than it even so. */
  makeRoom(network: string): boolean {
    const [greediest] = this.#bySize.get(this.#largest) ?? []
    if (greediest === undefined || this.#largest <= (this.#places.get(network)?.size ?? 0) + 1) return false
    const [oldest] = this.#places.get(greediest) ?? []
    if (oldest === undefined) return false
    this.#leave(greediest, oldest)
    oldest()
    return true
  }

  #leave(network: string, place: () => void): void {
    const places = this.#places.get(network)
    if (places?.delete(place) !== true) return
    if (places.size === 0) this.#places.delete(network)
    this.#moved(network, places.size + 1, places.size)
  }

  #moved(network: string, from: number, to: number): void {
    this.#size += to - from
    const before = this.#bySize.get(from)
    before?.delete(network)
    if (before?.size === 0) this.#bySize.delete(from)
    if (to > 0) this.#bySize.set(to, (this.#bySize.get(to) ?? new Set()).add(network))
    this.#largest = to > this.#largest ? to : this.#bySize.has(this.#largest) ? this.#largest : to
  }
}
