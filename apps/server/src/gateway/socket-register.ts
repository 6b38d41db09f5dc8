import type { Clock } from '../clock.ts'
import type { OpenSocketRow, OpenSockets } from '../storage/open-sockets.ts'

/** What has opened and closed is written this often, in one statement for each tenant: a wave of sockets costs a few of them. */
const WRITE_MS = 1_000
/** A node with sockets says that it is there this often … */
const SAY_MS = 10_000
/** … and one that has said nothing for so long is gone, and its sockets with it. */
export const SILENT_MS = 45_000

type Parts = {
  readonly clock: Clock
  readonly database: OpenSockets
  /** This one's name, which no other has. */
  readonly node: string
  readonly onFault: (error: unknown) => void
}

type Tenant = {
  readonly open: Map<string, OpenSocketRow>
  opened: Set<string>
  closed: Set<string>
  saidAt: number
}

/**
 * Tells the store which sockets are open on this node, so that administrators see those of all nodes. The sockets themselves wait
 * for nothing here; what could not be written is written the next time, and all of it where the store has forgotten it.
 */
export class SocketRegister {
  readonly node: string
  readonly #parts: Parts
  readonly #tenants = new Map<string, Tenant>()
  readonly #stop: () => void
  #work: Promise<void> = Promise.resolve()
  #underWay = 0

  constructor(parts: Parts) {
    this.node = parts.node
    this.#parts = parts
    // A store that is slow to say that it is away is not asked a second time before it has.
    this.#stop = parts.clock.every(WRITE_MS, () => {
      if (this.#underWay === 0) void this.flush()
    })
  }

  opened(tenant: string, socket: OpenSocketRow): void {
    const known = this.#tenants.get(tenant)
    const it = known ?? { open: new Map(), opened: new Set<string>(), closed: new Set<string>(), saidAt: 0 }
    if (known === undefined) this.#tenants.set(tenant, it)
    it.open.set(socket.id, socket)
    it.opened.add(socket.id)
  }

  closed(tenant: string, id: string): void {
    const it = this.#tenants.get(tenant)
    if (it?.open.delete(id) !== true) return
    // One that came and went between two writings was never there.
    if (!it.opened.delete(id)) it.closed.add(id)
  }

  /** Resolves when what has opened and closed until now is written, or could not be. */
  flush(): Promise<void> {
    this.#underWay += 1
    this.#work = this.#work
      .then(() => this.#writeAll())
      .finally(() => {
        this.#underWay -= 1
      })
    return this.#work
  }

  /** Takes this node's sockets out of the store. */
  async close(): Promise<void> {
    this.#stop()
    await this.#work
    for (const tenant of this.#tenants.keys()) {
      await this.#parts.database.forgetNode(tenant, this.node).catch(this.#parts.onFault)
    }
    this.#tenants.clear()
  }

  async #writeAll(): Promise<void> {
    const now = this.#parts.clock.now()
    for (const [tenant, it] of this.#tenants) {
      const isNews = it.opened.size > 0 || it.closed.size > 0
      if (!isNews && now - it.saidAt < SAY_MS) continue
      if (!isNews && it.open.size === 0) {
        this.#tenants.delete(tenant)
        continue
      }
      await this.#write(tenant, it, now)
    }
  }

  async #write(tenant: string, it: Tenant, at: number): Promise<void> {
    const { opened, closed } = it
    it.opened = new Set()
    it.closed = new Set()
    try {
      const rows = [...opened].flatMap((id) => it.open.get(id) ?? [])
      const news = { node: this.node, at, silentBefore: at - SILENT_MS, opened: rows, closed: [...closed] }
      const wasKnown = await this.#parts.database.noteSockets(tenant, news)
      if (!wasKnown) for (const id of it.open.keys()) if (!opened.has(id)) it.opened.add(id)
      it.saidAt = at
    } catch (error) {
      for (const id of opened) if (it.open.has(id)) it.opened.add(id)
      for (const id of [...opened, ...closed]) if (!it.open.has(id)) it.closed.add(id)
      this.#parts.onFault(error)
    }
  }
}
