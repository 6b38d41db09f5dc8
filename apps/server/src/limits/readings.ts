/**
 * Whose turn it is to read the store for sockets. One request for a channel from its beginning is many pages, each read, opened
 * and written, and a user has many sockets: of each user one page is read at a time on a node, the others in the order in which they
 * were asked for. So nobody waits behind all that another asks for, and whoever is alone gets no less: the work is the node's, not the store's.
 */
export class Readings {
  /** Who waits, of users for whom something is read. */
  readonly #waiting = new Map<string, (() => void)[]>()

  /** Reads when it is the turn of this user, by a name that no other has. */
  async run<T>(user: string, read: () => Promise<T>): Promise<T> {
    const waiting = this.#waiting.get(user)
    if (waiting === undefined) this.#waiting.set(user, [])
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await read()
    } finally {
      this.#next(user)
    }
  }

  #next(user: string): void {
    const next = this.#waiting.get(user)?.shift()
    if (next === undefined) this.#waiting.delete(user)
    else next()
  }
}
