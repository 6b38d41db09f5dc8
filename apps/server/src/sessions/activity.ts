import type { Clock } from '../clock.ts'
import type { SessionWrites } from '../storage/session-writes.ts'

/** How often it is looked at what is to be written; and how seldom one session is. */
const LOOK_MS = 1_000
const WRITE_MS = 30_000

type Seen = { readonly tenant: string; at: number; writtenAt: number; isNews: boolean }

type Parts = {
  readonly clock: Clock
  readonly database: SessionWrites
  readonly onFault: (error: unknown) => void
}

/**
 * When the people of this node's sessions last did something. Noting it is one look-up in a map; the store hears of it a
 * second after somebody was quiet for long, and then at most every half minute: so another node, which locks by what the store
 * says, never locks somebody who is active here.
 */
export class Activity {
  readonly #parts: Parts
  readonly #seen = new Map<string, Seen>()
  readonly #stop: () => void
  #writing: Promise<void> = Promise.resolve()

  constructor(parts: Parts) {
    this.#parts = parts
    this.#stop = parts.clock.every(LOOK_MS, () => this.#look(WRITE_MS))
  }

  /** The person of this session does something now. */
  note(tenant: string, session: string): void {
    const at = this.#parts.clock.now()
    const seen = this.#seen.get(session)
    if (seen === undefined) {
      this.#seen.set(session, { tenant, at, writtenAt: Number.NEGATIVE_INFINITY, isNews: true })
    } else {
      seen.at = at
      seen.isNews = true
    }
  }

  /** When they were last seen here, if of late; in ms of the epoch. */
  seenAt(session: string): number | undefined {
    return this.#seen.get(session)?.at
  }

  /** Writes what this node knows and the store does not yet. */
  async flush(): Promise<void> {
    this.#look(0)
    await this.#writing
  }

  async close(): Promise<void> {
    this.#stop()
    await this.flush()
  }

  #look(everyMs: number): void {
    const now = this.#parts.clock.now()
    const due = new Map<string, { session: string; at: number }[]>()
    for (const [session, seen] of this.#seen) {
      if (seen.isNews && now - seen.writtenAt >= everyMs) {
        seen.isNews = false
        seen.writtenAt = now
        const ofTenant = due.get(seen.tenant) ?? []
        due.set(seen.tenant, ofTenant)
        ofTenant.push({ session, at: seen.at })
      } else if (!seen.isNews && now - seen.at > 2 * WRITE_MS) this.#seen.delete(session)
    }
    for (const [tenant, seen] of due) this.#write(tenant, seen)
  }

  #write(tenant: string, seen: readonly { session: string; at: number }[]): void {
    const written = this.#parts.database.touchSessions(tenant, seen).catch((error: unknown) => {
      this.#parts.onFault(error)
      // Not lost: the next look tries again.
      for (const { session } of seen) {
        const entry = this.#seen.get(session)
        if (entry !== undefined) Object.assign(entry, { isNews: true, writtenAt: Number.NEGATIVE_INFINITY })
      }
    })
    this.#writing = Promise.all([this.#writing, written]).then(() => undefined)
  }
}
