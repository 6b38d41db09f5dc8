import type { ClientRequestType, ServerFrameOf } from '@wardline/protocol'
import type { AccessSnapshot } from '../access/snapshot.ts'
import { END_WARNING_MS, type IdleTimes, idleTimes } from '../sessions/session-life.ts'
import type { Gateway } from './gateway.ts'
import type { Trail } from './peer.ts'

type Warning = ServerFrameOf<'session.warning'>

/** The socket whose session is watched. */
type Watched = {
  readonly gateway: Pick<Gateway, 'clock' | 'sessions' | 'activity' | 'access' | 'log'>
  readonly tenant: string
  readonly user: string
  readonly session: string
  readonly snapshot: AccessSnapshot
  readonly trail: Trail
  warn(warning: Warning): void
  end(code: 4423, because: 'session-idle', waiting: 'drop'): void
  lookBy(at: number): void
}

/** What only somebody at the screen does. Subscribing, receipts, renewals and pings are what a screen does by itself. */
const SHOWS_SOMEBODY: ReadonlySet<ClientRequestType> = new Set<ClientRequestType>([
  'session.activity',
  'message.post',
  'message.correct',
  'message.recall',
  'message.acknowledge',
  'typing.set',
  'presence.set',
])

/**
 * Automatic logoff on one socket: warns before the session is locked for idling, and before it ends, and has it locked by
 * this server's clock. What other nodes have seen of the person is asked of the store before each of these.
 */
export class LockWatch {
  readonly #of: Watched
  #warned = false
  #endWarned = false
  /** While the store is asked nothing else is due. */
  #asking = false

  constructor(of: Watched) {
    this.#of = of
  }

  /** A frame of the client's has come. */
  heard(type: ClientRequestType): void {
    if (SHOWS_SOMEBODY.has(type)) this.#of.gateway.sessions.noteActivity(this.#of.snapshot, this.#of.session)
  }

  /** What is known of the user is another. */
  become(): void {
    if (!this.#warned || this.#of.gateway.clock.now() >= this.#times().warnAt) return
    this.#warned = false
    this.#of.warn({ type: 'session.warning', reason: 'idle', at: null })
  }

  due(now: number): void {
    const { warnAt, lockAt } = this.#times()
    const { endsAt } = this
    if (!this.#endWarned && now >= endsAt - END_WARNING_MS) {
      this.#endWarned = true
      this.#of.warn({ type: 'session.warning', reason: 'end', at: new Date(endsAt).toISOString() })
    }
    if (this.#asking) return
    if (now >= lockAt) void this.#ask(() => this.#lock())
    else if (now >= warnAt && !this.#warned) void this.#ask(() => this.#warn())
  }

  next(): number {
    const end = this.#endWarned ? Number.POSITIVE_INFINITY : this.endsAt - END_WARNING_MS
    if (this.#asking) return end
    const { warnAt, lockAt } = this.#times()
    return Math.min(end, this.#warned ? lockAt : warnAt)
  }

  /** The session's absolute end. */
  get endsAt(): number {
    return this.#of.snapshot.sessions.get(this.#of.session)?.expiresAt ?? Number.POSITIVE_INFINITY
  }

  #times(): IdleTimes {
    const { gateway, snapshot, session } = this.#of
    return idleTimes(snapshot, session, gateway.activity.seenAt(session))
  }

  async #warn(): Promise<void> {
    const { gateway, tenant, user } = this.#of
    await gateway.access.load(tenant, user, { fresh: true })
    const { warnAt, lockAt } = this.#times()
    if (gateway.clock.now() < warnAt || this.#warned) return
    this.#warned = true
    this.#of.warn({ type: 'session.warning', reason: 'idle', at: new Date(lockAt).toISOString() })
  }

  /** Locking changes what is known of the user, and that closes every socket of the session. */
  async #lock(): Promise<void> {
    const { gateway, tenant, user, session, trail } = this.#of
    await gateway.sessions.lockIfIdle({ tenant, user, session }, trail)
    if (gateway.clock.now() >= this.#times().lockAt) this.#of.end(4423, 'session-idle', 'drop')
  }

  async #ask(run: () => Promise<void>): Promise<void> {
    this.#asking = true
    try {
      await run()
    } catch (error) {
      // The store is away: nobody is left signed in at an empty screen for that.
      this.#of.gateway.log.warn('session.lock-failed', { error })
      if (this.#of.gateway.clock.now() >= this.#times().lockAt) this.#of.end(4423, 'session-idle', 'drop')
    } finally {
      this.#asking = false
      this.#of.lookBy(this.next())
    }
  }
}
