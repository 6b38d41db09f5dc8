import type { Bus, Hint } from '../bus/bus.ts'
import type { Clock } from '../clock.ts'
import type { Connection } from './connection.ts'

/** A user with sockets on several nodes is told of anew this often: what is told may be lost. */
const TELL_AGAIN_MS = 30_000
/** What another node has told counts for so long: it may be gone. */
const TOLD_MS = 75_000
/** Sockets of one user that a hint can tell of; of more, the youngest. */
const MAX_TOLD = 256

type Holder = { readonly tenant: string; readonly user: string }
type Held = { readonly connection: Connection; readonly session: string; readonly at: number }
type Told = { readonly at: readonly number[]; readonly until: number }
type User = Holder & { readonly held: Held[]; readonly elsewhere: Map<string, Told> }

type Parts = {
  readonly clock: Clock
  readonly bus: Pick<Bus, 'publish'>
  /** This one's name, which no other has. */
  readonly node: string
  /** Sockets of one user, on all nodes. */
  readonly perUser: number
}

/**
 * The signed-in sockets of this node, oldest first for each user, and how many more their users have on other nodes: nodes tell each
 * other when they take one in, so that the oldest goes wherever it is. With the hints lost, each node holds the limit by itself.
 */
export class Sockets {
  readonly #parts: Parts
  readonly #users = new Map<string, User>()
  readonly #stop: () => void
  #count = 0

  constructor(parts: Parts) {
    this.#parts = parts
    this.#stop = parts.clock.every(TELL_AGAIN_MS, () => this.#tellAgain())
  }

  get count(): number {
    return this.#count
  }

  /** Takes it in, and gives those of this node that are now too many: the oldest. */
  add(connection: Connection, who: Holder & { readonly session: string }): readonly Connection[] {
    const { tenant, user, session } = who
    const key = keyOf(who)
    const known = this.#users.get(key)
    const it = known ?? { tenant, user, held: [], elsewhere: new Map<string, Told>() }
    if (known === undefined) this.#users.set(key, it)
    it.held.push({ connection, session, at: this.#parts.clock.now() })
    this.#count += 1
    this.#tell(it, known === undefined)
    return this.#tooMany(it)
  }

  remove(connection: Connection, who: Holder): void {
    const it = this.#users.get(keyOf(who))
    const place = it?.held.findIndex((each) => each.connection === connection) ?? -1
    if (it === undefined || place < 0) return
    it.held.splice(place, 1)
    this.#count -= 1
    if (it.elsewhere.size > 0) this.#tell(it, false)
    if (it.held.length === 0) this.#users.delete(keyOf(who))
  }

  /** Another node tells of its sockets of a user. Gives those of this node that are too many with them. */
  learn({ t, u, n, at, ask }: Hint & { k: 'sockets' }): readonly Connection[] {
    const it = this.#users.get(keyOf({ tenant: t, user: u }))
    if (it === undefined) return []
    if (at.length === 0) it.elsewhere.delete(n)
    else it.elsewhere.set(n, { at, until: this.#parts.clock.now() + TOLD_MS })
    if (ask) this.#tell(it, false)
    return this.#tooMany(it)
  }

  /** How many sockets a sign-in has open on this node: `SessionSummary.sockets`. */
  ofSession(tenant: string, user: string, session: string): number {
    return (this.#users.get(keyOf({ tenant, user }))?.held ?? []).filter((each) => each.session === session).length
  }

  close(): void {
    this.#stop()
  }

  /** `ask`: whoever has sockets of theirs as well is to tell. */
  #tell({ tenant, user, held }: User, ask: boolean): void {
    const at = held.slice(-MAX_TOLD).map((each) => each.at)
    this.#parts.bus.publish({ k: 'sockets', t: tenant, u: user, n: this.#parts.node, at, ask })
  }

  #tellAgain(): void {
    const now = this.#parts.clock.now()
    for (const it of this.#users.values()) {
      if (it.elsewhere.size === 0) continue
      for (const [node, { until }] of it.elsewhere) if (now >= until) it.elsewhere.delete(node)
      this.#tell(it, false)
    }
  }

  /** Of all that the user has anywhere, in order of age, the first are too many; those of them that are here. */
  #tooMany({ held, elsewhere }: User): readonly Connection[] {
    const now = this.#parts.clock.now()
    const others = [...elsewhere].flatMap(([node, { at, until }]) =>
      now < until ? at.map((each) => ({ at: each, node, connection: null })) : [],
    )
    const excess = held.length + others.length - this.#parts.perUser
    if (excess <= 0) return []
    const mine = held.map(({ at, connection }) => ({ at, node: this.#parts.node, connection }))
    // Of two that came in the same millisecond both nodes take the same for the older one.
    const byAge = [...mine, ...others].sort((a, b) => a.at - b.at || (a.node < b.node ? -1 : a.node > b.node ? 1 : 0))
    return byAge.slice(0, excess).flatMap(({ connection }) => connection ?? [])
  }
}

function keyOf({ tenant, user }: Holder): string {
  return `${tenant}/${user}`
}
