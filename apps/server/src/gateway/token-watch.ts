import type { ServerFrameOf } from '@wardline/protocol'
import type { AccessSnapshot } from '../access/snapshot.ts'
import type { Authenticated } from '../sessions/authenticate.ts'
import { RENEWAL_MS } from '../sessions/risk.ts'
import { isOlderThanAsked } from '../sessions/session-life.ts'
import { encode, type Frame } from './frame.ts'
import type { Gateway } from './gateway.ts'
import { Renewal } from './renewal.ts'

type RenewReason = ServerFrameOf<'session.renew-required'>['reason']

/** The socket whose token is watched. */
type Watched = {
  readonly gateway: Pick<Gateway, 'clock' | 'nonce' | 'config'>
  /** As the token in force says, and as the store says now. */
  readonly who: Authenticated
  readonly snapshot: AccessSnapshot
  send(frame: Frame): void
  end(code: 4440, because: 'token-expired', waiting: 'drop'): void
  lookBy(at: number): void
}

/** The token of one socket: has its client asked for another before it expires and whenever one is demanded, and ends it where none follows. */
export class TokenWatch {
  readonly #of: Watched
  readonly #renewal: Renewal

  constructor(of: Watched) {
    const { gateway, who } = of
    this.#of = of
    this.#renewal = new Renewal(gateway.config.limits.renewGraceMs, Math.random, gateway.clock.now(), who.expiresAt)
  }

  /** Whether a renewal over `nonce` was asked for, once. */
  takeNonce(nonce: string): boolean {
    return this.#renewal.takeNonce(nonce)
  }

  /** A token has come into force, at sign-in or at a renewal. One that is older than what was asked for serves no longer than over HTTP. */
  taken(): void {
    const { gateway, who, snapshot } = this.#of
    const now = gateway.clock.now()
    this.#renewal.renewed(now, who.expiresAt)
    const live = snapshot.sessions.get(who.session)
    if (live?.renewal && isOlderThanAsked(live, who.claims.iat)) {
      this.#ask(now, live.renewal.reason, Math.max(0, live.renewal.by - now))
    }
  }

  /** What is known of the user is another than `before`. */
  become(before: AccessSnapshot): void {
    const reason = this.#demanded(before)
    if (reason !== null) this.#ask(this.#of.gateway.clock.now(), reason, RENEWAL_MS)
  }

  /** Renewing failed for what is not the client's fault: it is asked again. */
  again(): void {
    this.#ask(this.#of.gateway.clock.now(), 'expiry')
  }

  /** Whether none has followed in time. Then the socket has ended. */
  isOver(now: number): boolean {
    const isOver = this.#renewal.isOver(now)
    if (isOver) this.#of.end(4440, 'token-expired', 'drop')
    return isOver
  }

  due(now: number): void {
    if (this.#renewal.mustAsk(now)) this.#ask(now, 'expiry')
  }

  next(): number {
    return this.#renewal.next()
  }

  /** Why another token is wanted that was not wanted before; null where none is. */
  #demanded(before: AccessSnapshot): RenewReason | null {
    const { who, snapshot: after } = this.#of
    const renewal = after.sessions.get(who.session)?.renewal ?? null
    const isNew = renewal !== null && renewal.after !== before.sessions.get(who.session)?.renewal?.after
    if (isNew && who.claims.iat * 1000 <= renewal.after) return renewal.reason
    // Its scopes are a bound of their own.
    return sameRoles(before, after) || after.settings.onRoleChange === 'ignore' ? null : 'role-change'
  }

  #ask(now: number, reason: RenewReason, withinMs?: number): void {
    this.#of.send(encode(this.#renewal.ask(now, this.#of.gateway.nonce(), reason, withinMs)))
    this.#of.lookBy(this.#renewal.next())
  }
}

function sameRoles(before: AccessSnapshot, after: AccessSnapshot): boolean {
  const held = before.access.roles
  return held.size === after.access.roles.size && [...held].every((role) => after.access.roles.has(role))
}
