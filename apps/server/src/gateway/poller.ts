import type { Access } from '../access/access.ts'
import type { Clock } from '../clock.ts'
import { Coalesced } from '../coalesced.ts'
import type { Database } from '../storage/open.ts'
import type { Hub } from './hub.ts'
import type { Inboxes } from './inboxes.ts'

type Parts = {
  readonly clock: Clock
  readonly database: Pick<Database, 'pollVersions' | 'readHeads'>
  readonly access: Pick<Access, 'forgetIdle' | 'watched' | 'learn'>
  readonly hub: Pick<Hub, 'tenants' | 'channels' | 'learn'>
  readonly inboxes: Pick<Inboxes, 'channels' | 'learn'>
  readonly pollMs: number
  readonly onFault: (error: unknown) => void
}

/**
 * Asks the store, once every `pollMs` and tenant, how far everything has got that matters to somebody here. With every hint lost, this
 * is what brings each event, each revocation and each change of rights here in time (P6, R-19, R-33). What people may do is asked
 * by itself, and waits for nothing: not for the heads of channels, nor for what is read because of them.
 */
export class Poller {
  readonly #parts: Parts
  readonly #stop: () => void
  readonly #versions = new Coalesced(() => this.#pollVersions())
  readonly #heads = new Coalesced(() => this.#pollHeads())

  constructor(parts: Parts) {
    this.#parts = parts
    this.#stop = parts.clock.every(parts.pollMs, () => void this.poll())
  }

  /** Asks now. While it is being asked, it is once more afterwards, and both are awaited. */
  async poll(): Promise<void> {
    await Promise.all([this.#versions.run(), this.#heads.run()])
  }

  async close(): Promise<void> {
    this.#stop()
    await Promise.all([this.#versions.underWay, this.#heads.underWay])
  }

  async #pollVersions(): Promise<void> {
    const { clock, database, access } = this.#parts
    access.forgetIdle()
    await this.#ofEach(access.watched(), async (tenant, users) => {
      const askedAt = clock.now()
      access.learn(tenant, askedAt, users, await database.pollVersions(tenant, users))
    })
  }

  async #pollHeads(): Promise<void> {
    const { database, access, hub, inboxes } = this.#parts
    const tenants = new Set([...[...access.watched()].map(([tenant]) => tenant), ...hub.tenants()])
    const channels = [...tenants].map(
      (tenant) => [tenant, [...new Set([...hub.channels(tenant), ...inboxes.channels(tenant)])]] as const,
    )
    await this.#ofEach(channels, async (tenant, wanted) => {
      if (wanted.length === 0) return
      for (const [channel, head] of await database.readHeads(tenant, wanted)) {
        hub.learn(tenant, channel, head)
        inboxes.learn(tenant, channel, head)
      }
    })
  }

  async #ofEach(
    tenants: Iterable<readonly [tenant: string, ids: readonly string[]]>,
    ask: (tenant: string, ids: readonly string[]) => Promise<void>,
  ): Promise<void> {
    await Promise.all([...tenants].map(([tenant, ids]) => ask(tenant, ids).catch(this.#parts.onFault)))
  }
}
