import type { Access } from '../access/access.ts'
import type { Clock } from '../clock.ts'
import type { Database } from '../storage/open.ts'
import type { Hub } from './hub.ts'
import type { Inboxes } from './inboxes.ts'

type Parts = {
  readonly clock: Clock
  readonly database: Pick<Database, 'poll'>
  readonly access: Access
  readonly hub: Hub
  readonly inboxes: Inboxes
  readonly pollMs: number
  readonly onFault: (error: unknown) => void
}

/**
 * Asks the store, once every `pollMs` and tenant, how far everything has got that matters to somebody here. With every hint lost, this
 * is what brings each event, each revocation and each change of rights here in time (P6, R-19, R-33).
 */
export class Poller {
  readonly #parts: Parts
  readonly #stop: () => void
  #polling: Promise<void> | null = null
  #again = false

  constructor(parts: Parts) {
    this.#parts = parts
    this.#stop = parts.clock.every(parts.pollMs, () => void this.poll())
  }

  /** Asks now. While one is under way, one more follows it, and both are awaited. */
  async poll(): Promise<void> {
    if (this.#polling !== null) {
      this.#again = true
      return this.#polling
    }
    this.#polling = this.#pollUntilDone().finally(() => {
      this.#polling = null
    })
    return this.#polling
  }

  async close(): Promise<void> {
    this.#stop()
    await this.#polling
  }

  async #pollUntilDone(): Promise<void> {
    do {
      this.#again = false
      const { access, hub, inboxes } = this.#parts
      access.forgetIdle()
      const users = new Map(access.watched())
      const tenants = new Set([...users.keys(), ...hub.tenants()])
      await Promise.all(
        [...tenants].map((tenant) => {
          const channels = new Set([...hub.channels(tenant), ...inboxes.channels(tenant)])
          return this.#pollTenant(tenant, users.get(tenant) ?? [], [...channels])
        }),
      )
    } while (this.#again)
  }

  async #pollTenant(tenant: string, users: readonly string[], channels: readonly string[]): Promise<void> {
    const { clock, database, access, hub, inboxes, onFault } = this.#parts
    const askedAt = clock.now()
    try {
      const found = await database.poll(tenant, users, channels)
      access.learn(tenant, askedAt, users, found)
      for (const [channel, head] of found.heads) {
        hub.learn(tenant, channel, head)
        inboxes.learn(tenant, channel, head)
      }
    } catch (error) {
      onFault(error)
    }
  }
}
