/** Calls over HTTP that wait for their answer on this node, by user: a person's screens ask for a few at a time, and none for hundreds. */
export class CallsInFlight {
  readonly #most: number
  readonly #counts = new Map<string, number>()

  constructor(most: number) {
    this.#most = most
  }

  /** One more of this user, by a name that no other has. Answers how to end it; null where there are as many as may be. */
  begin(user: string): (() => void) | null {
    const count = this.#counts.get(user) ?? 0
    if (count >= this.#most) return null
    this.#counts.set(user, count + 1)
    return () => this.#end(user)
  }

  #end(user: string): void {
    const count = this.#counts.get(user) ?? 0
    if (count > 1) this.#counts.set(user, count - 1)
    else this.#counts.delete(user)
  }
}
