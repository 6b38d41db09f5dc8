import type { ServerFrameOf } from '@wardline/protocol'
import type { AccessSnapshot } from '../access/snapshot.ts'
import type { Bus } from '../bus/bus.ts'
import type { Clock } from '../clock.ts'
import type { Asker } from '../gateway/asker.ts'
import { encode } from '../gateway/frame.ts'
import type { Hub } from '../gateway/hub.ts'
import type { Subscriber } from '../gateway/subscription.ts'

export interface Status {
  readonly status: ServerFrameOf<'presence.changed'>['status']
  /** Who covers: a user's id. */
  readonly cover: string | null
  /** Milliseconds of the epoch. */
  readonly until: number | null
}

type Parts = {
  readonly clock: Clock
  readonly hub: Hub
  readonly bus: Bus
  /** What a user of another node belongs to: who they may be seen by. */
  readonly snapshotOf: (tenant: string, user: string) => Promise<AccessSnapshot | null>
}

/** Statuses kept on one node; beyond it the oldest is forgotten. */
const MAX_KNOWN = 100_000

/** Who has said that they can or cannot be reached: in memory alone, told to those who share a channel that they read. */
export class Presence {
  readonly #parts: Parts
  readonly #known = new Map<string, Status>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** On this node: the others are told as well. */
  set(tenant: string, user: string, channels: ReadonlyMap<string, unknown>, status: Status): void {
    this.#learn(tenant, user, channels, status)
    this.#parts.bus.publish({ k: 'presence', t: tenant, u: user, ...status })
  }

  /** On another node. */
  async learn(tenant: string, user: string, status: Status): Promise<void> {
    const snapshot = await this.#parts.snapshotOf(tenant, user)
    if (snapshot !== null) this.#learn(tenant, user, snapshot.channels, status)
  }

  /** What is known of people, for somebody who begins to read where they are. */
  tell(asker: Asker, people: Iterable<{ readonly user: string }>): void {
    for (const { user } of people) {
      const status = this.#current(asker.tenant, user)
      if (status !== undefined) asker.send(frameOf(user, status))
    }
  }

  #learn(tenant: string, user: string, channels: ReadonlyMap<string, unknown>, status: Status): void {
    const key = `${tenant}/${user}`
    this.#known.delete(key)
    this.#known.set(key, status)
    const [oldest] = this.#known.keys()
    if (this.#known.size > MAX_KNOWN && oldest !== undefined) this.#known.delete(oldest)
    const frame = frameOf(user, status)
    const told = new Set<Subscriber>()
    for (const channel of channels.keys()) {
      for (const reader of this.#parts.hub.readers(tenant, channel)) {
        if (told.has(reader.subscriber)) continue
        told.add(reader.subscriber)
        reader.tell(frame)
      }
    }
  }

  #current(tenant: string, user: string): Status | undefined {
    const status = this.#known.get(`${tenant}/${user}`)
    return status?.until === null || (status?.until ?? 0) > this.#parts.clock.now() ? status : undefined
  }
}

function frameOf(user: string, { status, cover, until }: Status) {
  return encode({
    type: 'presence.changed',
    user,
    status,
    cover,
    until: until === null ? null : new Date(until).toISOString(),
  })
}
