import type { Limits } from '@wardline/protocol'
import type { Clock } from '../clock.ts'
import { Coalesced } from '../coalesced.ts'
import type { Database } from '../storage/open.ts'
import { type AccessSnapshot, snapshotOf } from './snapshot.ts'

/** Reads one user from the store; null where there is none. */
export type LoadSnapshot = (tenant: string, user: string) => Promise<AccessSnapshot | null>

/** A user whose every change is wanted, for as long as a socket of theirs is open, or a colleague says that they cover. */
export interface Watch {
  readonly snapshot: AccessSnapshot
  /** Called with each new snapshot. One listener. */
  onChange(listener: (snapshot: AccessSnapshot) => void): void
  stop(): void
}

type Watcher = { listener: ((snapshot: AccessSnapshot) => void) | null }

type Entry = {
  readonly tenant: string
  readonly user: string
  snapshot: AccessSnapshot | null
  /** When the store was last asked and had nothing newer, in milliseconds of the epoch. */
  checkedAt: number
  readonly watchers: Set<Watcher>
  /** Readings because somebody asks, and because something has changed: they do not wait for each other. */
  readonly asking: Coalesced
  readonly following: Coalesced
}

/**
 * What each user may do, as the store said last: for HTTP at most `pollMs` old, for open sockets followed from change to change.
 * A change is learned from this node's own acts, from a hint, and at the latest from the poll that compares versions.
 */
export class Access {
  readonly #load: LoadSnapshot
  readonly #follow: LoadSnapshot
  readonly #clock: Clock
  readonly #maxAgeMs: number
  readonly #onFault: (error: unknown) => void
  readonly #tenants = new Map<string, Map<string, Entry>>()

  /** @param parts `follow` loads as `load` does, on a lane that those who ask do not fill */
  constructor(parts: {
    load: LoadSnapshot
    follow: LoadSnapshot
    clock: Clock
    maxAgeMs: number
    onFault: (error: unknown) => void
  }) {
    this.#load = parts.load
    this.#follow = parts.follow
    this.#clock = parts.clock
    this.#maxAgeMs = parts.maxAgeMs
    this.#onFault = parts.onFault
  }

  /** What the user may do, at most `pollMs` old, or `fresh` from the store; null where there is no such user. */
  async load(tenant: string, user: string, how: { readonly fresh?: boolean } = {}): Promise<AccessSnapshot | null> {
    const entry = this.#entry(tenant, user)
    if (entry.following.underWay !== null) await entry.following.underWay
    const isOld = this.#clock.now() - entry.checkedAt > this.#maxAgeMs
    if (isOld || how.fresh === true) await entry.asking.run()
    return entry.snapshot
  }

  /** As `load`, and from then on every change, until `stop`. */
  async watch(tenant: string, user: string): Promise<Watch | null> {
    const entry = this.#entry(tenant, user)
    const watcher: Watcher = { listener: null }
    entry.watchers.add(watcher)
    let latest: AccessSnapshot | null = null
    try {
      latest = await this.load(tenant, user)
    } finally {
      if (latest === null) entry.watchers.delete(watcher)
    }
    if (latest === null) return null
    const first = latest
    return {
      get snapshot() {
        return entry.snapshot ?? first
      },
      onChange: (listener) => {
        watcher.listener = listener
      },
      stop: () => {
        entry.watchers.delete(watcher)
      },
    }
  }

  /** Something about the user has changed: on this node, or a hint says so (`version`: up to which it is already known). */
  changed(tenant: string, user: string, version = Number.POSITIVE_INFINITY): void {
    const entry = this.#tenants.get(tenant)?.get(user)
    if (entry !== undefined && (entry.snapshot?.version ?? 0) < version) this.#refresh(entry)
  }

  /**
   * Resolves once what has changed about the user is known here; at once where nobody here has to do with them. An act that takes
   * something away waits for it before it answers: nothing follows the answer that is not judged anew.
   */
  async settled(tenant: string, user: string): Promise<void> {
    const following = this.#tenants.get(tenant)?.get(user)?.following
    for (let run = following?.underWay; run; run = following?.underWay) await run.catch(() => undefined)
  }

  /** As `settled`, of everybody of the tenant. */
  async tenantSettled(tenant: string): Promise<void> {
    await Promise.all([...(this.#tenants.get(tenant)?.keys() ?? [])].map((user) => this.settled(tenant, user)))
  }

  /** Something that concerns all users of the tenant has changed. */
  tenantChanged(tenant: string, version = Number.POSITIVE_INFINITY): void {
    for (const entry of this.#tenants.get(tenant)?.values() ?? []) {
      if ((entry.snapshot?.tenantVersion ?? 0) < version) this.#refresh(entry)
    }
  }

  /** Tenants with users that are watched, and those users. */
  *watched(): Iterable<readonly [tenant: string, users: readonly string[]]> {
    for (const [tenant, entries] of this.#tenants) {
      const users = [...entries.values()].filter((entry) => entry.watchers.size > 0).map((entry) => entry.user)
      if (users.length > 0) yield [tenant, users]
    }
  }

  /** The versions that the store gave, when asked at `askedAt`, for those `users` of the tenant. */
  learn(
    tenant: string,
    askedAt: number,
    users: readonly string[],
    versions: { readonly tenantVersion: number | null; readonly users: ReadonlyMap<string, number> },
  ): void {
    const entries = this.#tenants.get(tenant)
    for (const user of users) {
      const entry = entries?.get(user)
      if (entry === undefined) continue
      const { version, tenantVersion } = entry.snapshot ?? { version: 0, tenantVersion: 0 }
      const isNewer = (versions.users.get(user) ?? Number.POSITIVE_INFINITY) > version
      if (isNewer || (versions.tenantVersion ?? Number.POSITIVE_INFINITY) > tenantVersion) this.#refresh(entry)
      else entry.checkedAt = Math.max(entry.checkedAt, askedAt)
    }
  }

  /** Forgets who is not watched and was not asked for of late. */
  forgetIdle(): void {
    const now = this.#clock.now()
    for (const [tenant, entries] of this.#tenants) {
      for (const [user, entry] of entries) {
        const isOld = now - entry.checkedAt > this.#maxAgeMs
        const isRead = entry.asking.underWay !== null || entry.following.underWay !== null
        if (isOld && entry.watchers.size === 0 && !isRead) entries.delete(user)
      }
      if (entries.size === 0) this.#tenants.delete(tenant)
    }
  }

  #entry(tenant: string, user: string): Entry {
    const entries = this.#tenants.get(tenant) ?? new Map<string, Entry>()
    this.#tenants.set(tenant, entries)
    const known = entries.get(user)
    if (known !== undefined) return known
    const checkedAt = Number.NEGATIVE_INFINITY
    const entry: Entry = {
      tenant,
      user,
      snapshot: null,
      checkedAt,
      watchers: new Set(),
      asking: new Coalesced(() => this.#read(entry, this.#load)),
      following: new Coalesced(() => this.#read(entry, this.#follow)),
    }
    entries.set(user, entry)
    return entry
  }

  #refresh(entry: Entry): void {
    entry.following.run().catch(this.#onFault)
  }

  async #read(entry: Entry, load: LoadSnapshot): Promise<void> {
    const askedAt = this.#clock.now()
    let loaded: AccessSnapshot | null
    try {
      loaded = await load(entry.tenant, entry.user)
    } catch (error) {
      // Not known to be current any more: whoever asks next asks the store.
      entry.checkedAt = Number.NEGATIVE_INFINITY
      throw error
    }
    const known = entry.snapshot
    // What the other lane has read meanwhile is later.
    if (loaded !== null && known !== null && isOlder(loaded, known)) return
    entry.snapshot = loaded ?? (known === null ? null : gone(known))
    entry.checkedAt = Math.max(entry.checkedAt, askedAt)
    if (entry.snapshot === null) return
    for (const { listener } of [...entry.watchers]) listener?.(entry.snapshot)
  }
}

function isOlder(one: AccessSnapshot, other: AccessSnapshot): boolean {
  return one.version < other.version || one.tenantVersion < other.tenantVersion
}

/** A user whose row is no more: nothing is theirs to do, and no sign-in of theirs lives. */
function gone(last: AccessSnapshot): AccessSnapshot {
  return { ...last, access: { ...last.access, status: 'disabled' }, sessions: new Map(), channels: new Map() }
}

/** The access of one node, read from its database. */
export function createAccess(parts: {
  readonly database: Pick<Database, 'readAccess' | 'followAccess'>
  readonly clock: Clock
  readonly limits: Pick<Limits, 'pollMs'>
  readonly onFault: (error: unknown) => void
}): Access {
  const { database, clock, limits, onFault } = parts
  const through =
    (read: Database['readAccess']): LoadSnapshot =>
    async (tenant, user) => {
      const stored = await read(tenant, user, clock.now())
      return stored === null ? null : snapshotOf(user, stored)
    }
  return new Access({
    load: through(database.readAccess),
    follow: through(database.followAccess),
    clock,
    maxAgeMs: limits.pollMs,
    onFault,
  })
}
