import type { Connection } from './connection.ts'

type Holder = { readonly tenant: string; readonly user: string }
type Held = { readonly connection: Connection; readonly session: string }

/** The signed-in sockets of this node, oldest first for each user. */
export class Sockets {
  readonly #byUser = new Map<string, Held[]>()
  #count = 0

  get count(): number {
    return this.#count
  }

  /** Takes it in, and gives those that are now too many: the oldest. */
  add(connection: Connection, who: Holder & { readonly session: string }, perUser: number): readonly Connection[] {
    const held = this.#byUser.get(keyOf(who)) ?? []
    this.#byUser.set(keyOf(who), held)
    held.push({ connection, session: who.session })
    this.#count += 1
    return held.slice(0, Math.max(0, held.length - perUser)).map((each) => each.connection)
  }

  remove(connection: Connection, who: Holder): void {
    const held = this.#byUser.get(keyOf(who))
    const place = held?.findIndex((each) => each.connection === connection) ?? -1
    if (held === undefined || place < 0) return
    held.splice(place, 1)
    this.#count -= 1
    if (held.length === 0) this.#byUser.delete(keyOf(who))
  }

  /** How many sockets a sign-in has open on this node: `SessionSummary.sockets`. */
  ofSession(tenant: string, user: string, session: string): number {
    return (this.#byUser.get(keyOf({ tenant, user })) ?? []).filter((each) => each.session === session).length
  }
}

function keyOf({ tenant, user }: Holder): string {
  return `${tenant}/${user}`
}
