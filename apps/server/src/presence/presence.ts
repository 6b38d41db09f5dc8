import type { ServerFrameOf } from '@wardline/protocol'
import type { Access, Watch } from '../access/access.ts'
import type { AccessSnapshot } from '../access/snapshot.ts'
import type { Bus } from '../bus/bus.ts'
import type { Clock } from '../clock.ts'
import { Refusal } from '../errors.ts'
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

type Said = {
  readonly tenant: string
  readonly user: string
  readonly status: Status
  /** Later ones replace earlier ones, whichever cover was looked up first. */
  readonly order: number
  /** Of who covers. */
  readonly watch: Watch | null
}

/** Others have just been told of somebody; whether they, and other nodes, are to be told again. */
type Pace = { again: boolean; publish: boolean; readonly stop: () => void }

type Parts = {
  readonly clock: Clock
  readonly hub: Pick<Hub, 'readers'>
  readonly bus: Pick<Bus, 'publish'>
  readonly access: Pick<Access, 'load' | 'watch'>
  readonly onFault: (error: unknown) => void
}

/** Statuses kept on one node; beyond it the oldest is forgotten. */
const MAX_KNOWN = 100_000
/** What somebody says of themselves goes to everybody who shares a channel with them: at once, and then the last of it at this pace. */
const TELL_MS = 1_000

/** Who has said that they can or cannot be reached: in memory alone, told to those who share a channel that they read. */
export class Presence {
  readonly #parts: Parts
  readonly #said = new Map<string, Said>()
  readonly #paces = new Map<string, Pace>()
  #order = 0

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /**
   * On this node: the others are told as well.
   * @throws Refusal `not-found` unless who covers is another person of the organisation who can sign in
   */
  set(tenant: string, user: string, status: Status): Promise<void> {
    return this.#take(tenant, user, status, 'here')
  }

  /** On another node, which has let it pass; who covers may have been disabled since. */
  learn(tenant: string, user: string, status: Status): Promise<void> {
    return this.#take(tenant, user, status, 'elsewhere')
  }

  /** What is known of people, for somebody who begins to read where they are. */
  tell(asker: Asker, people: Iterable<{ readonly user: string }>): void {
    for (const { user } of people) {
      const said = this.#said.get(keyOf(asker.tenant, user))
      if (said === undefined) continue
      const { until } = said.status
      if (until === null || until > this.#parts.clock.now()) asker.send(frameOf(user, said.status))
      else this.#forget(said)
    }
  }

  close(): void {
    for (const { stop } of this.#paces.values()) stop()
    for (const said of [...this.#said.values()]) this.#forget(said)
  }

  async #take(tenant: string, user: string, status: Status, where: 'here' | 'elsewhere'): Promise<void> {
    this.#order += 1
    const order = this.#order
    const { cover } = status
    const watch = cover === null ? null : await this.#parts.access.watch(tenant, cover)
    const covers = watch !== null && mayCover(watch.snapshot, user)
    if (!covers) watch?.stop()
    if (cover !== null && !covers && where === 'here') throw new Refusal('not-found', 'not-found')
    const said = { tenant, user, status: covers ? status : uncovered(status), order, watch: covers ? watch : null }
    if (this.#keep(said)) this.#announce(tenant, user, where === 'here')
  }

  /** Whether nothing later has been said. */
  #keep(said: Said): boolean {
    const key = keyOf(said.tenant, said.user)
    const before = this.#said.get(key)
    if (before !== undefined && before.order > said.order) {
      said.watch?.stop()
      return false
    }
    if (before !== undefined) this.#forget(before)
    this.#said.set(key, said)
    said.watch?.onChange((snapshot) => {
      if (!mayCover(snapshot, said.user)) this.#uncover(said)
    })
    const [oldest] = this.#said.values()
    if (this.#said.size > MAX_KNOWN && oldest !== undefined) this.#forget(oldest)
    return true
  }

  /** Each node finds out by itself, also with every hint lost (P6). */
  #uncover(said: Said): void {
    this.#keep({ ...said, status: uncovered(said.status), watch: null })
    this.#announce(said.tenant, said.user, false)
  }

  #forget(said: Said): void {
    said.watch?.stop()
    this.#said.delete(keyOf(said.tenant, said.user))
  }

  #announce(tenant: string, user: string, publish: boolean): void {
    const key = keyOf(tenant, user)
    const pace = this.#paces.get(key)
    if (pace !== undefined) {
      pace.again = true
      pace.publish ||= publish
      return
    }
    const stop = this.#parts.clock.after(TELL_MS, () => this.#announceAgain(tenant, user))
    this.#paces.set(key, { again: false, publish: false, stop })
    const said = this.#said.get(key)
    if (publish && said !== undefined) this.#parts.bus.publish({ k: 'presence', t: tenant, u: user, ...said.status })
    this.#tellReaders(tenant, user).catch(this.#parts.onFault)
  }

  #announceAgain(tenant: string, user: string): void {
    const pace = this.#paces.get(keyOf(tenant, user))
    this.#paces.delete(keyOf(tenant, user))
    if (pace?.again === true) this.#announce(tenant, user, pace.publish)
  }

  /** To those who read where they are now, the last of what they have said. */
  async #tellReaders(tenant: string, user: string): Promise<void> {
    const snapshot = await this.#parts.access.load(tenant, user)
    const said = this.#said.get(keyOf(tenant, user))
    if (snapshot === null || said === undefined) return
    const frame = frameOf(user, said.status)
    const told = new Set<Subscriber>()
    for (const channel of snapshot.channels.keys()) {
      for (const reader of this.#parts.hub.readers(tenant, channel)) {
        if (told.has(reader.subscriber)) continue
        told.add(reader.subscriber)
        reader.tell(frame)
      }
    }
  }
}

function keyOf(tenant: string, user: string): string {
  return `${tenant}/${user}`
}

/** Whoever is written to instead has to be somebody who reads: a person, not the same one, and not one who was disabled. */
function mayCover({ access }: AccessSnapshot, user: string): boolean {
  return access.kind === 'person' && access.status === 'active' && access.user !== user
}

function uncovered(status: Status): Status {
  return { ...status, cover: null }
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
