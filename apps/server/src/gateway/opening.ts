import { type ServerFrameOf, type SessionAuthenticate, SOCKET_PATH } from '@wardline/protocol'
import type { Watch } from '../access/access.ts'
import { actorOf, mayConnect } from '../access/snapshot.ts'
import type { AuditReason } from '../audit/vocabulary.ts'
import { Refusal } from '../errors.ts'
import type { Authenticated } from '../sessions/authenticate.ts'
import { timesOf } from '../sessions/session-life.ts'
import { signedInUser } from '../sessions/signed-in-user.ts'
import type { Gateway } from './gateway.ts'
import { type Peer, signedTrail, trailOf } from './peer.ts'

export interface Opened {
  readonly who: Authenticated
  readonly watch: Watch
}

/**
 * Who it is that asks to be let in: the token and the proof over this socket's nonce are judged by the function that
 * judges every HTTP call; then what the person may do is loaded and watched, and that they are here is written down. The caller
 * stops `watch`.
 *
 * @throws Refusal `unauthenticated` for every fault of the client's, with the reason for the audit; `rate-limited` for who is held
 * off; `unavailable` where the store is away
 */
export async function authenticate(
  gateway: Gateway,
  peer: Peer,
  nonce: string,
  frame: SessionAuthenticate,
): Promise<Opened> {
  const { sessions, access, database, clock, userRates } = gateway
  const who = await sessions.authenticate({
    token: frame.token,
    proof: frame.proof,
    method: 'GET',
    path: SOCKET_PATH,
    nonce,
    from: peer.from,
    certificate: peer.certificate,
  })
  const watch = await access.watch(who.tenant, who.user)
  if (watch === null) throw new Refusal('unauthenticated', 'unknown-user')
  try {
    const { snapshot } = watch
    if (!mayConnect(snapshot, who.session, clock.now())) {
      throw refused(who, 'unauthenticated', snapshot.mustEnrol ? 'no-second-factor' : 'session-ended')
    }
    // Before anything of it is written down: who is held off comes again and again.
    if (userRates.heldFor(who.tenant, who.user) > 0) throw refused(who, 'rate-limited', 'held-off')
    const trail = signedTrail(peer, who)
    // Only now is it known whose the connection is: from here on a tenant's log has it, from handshake to close.
    await Promise.all([
      database.auditOnly(who.tenant, { ...trailOf(peer), action: 'socket.connect', outcome: 'allowed' }),
      database.auditOnly(who.tenant, { ...trail, action: 'socket.authenticate', outcome: 'allowed' }),
    ])
    return { who, watch }
  } catch (error) {
    watch.stop()
    throw error
  }
}

/** A refusal of who has shown who they are. */
function refused(who: Authenticated, code: 'unauthenticated' | 'rate-limited', reason: AuditReason): Refusal {
  const refusal = new Refusal(code, reason)
  refusal.claimed = { tenant: who.tenant, trail: { actor: who.actor, session: who.session } }
  return refusal
}

/** The answer that lets the client in: who it is, and every limit in force. */
export function welcome(
  gateway: Gateway,
  { who, watch: { snapshot } }: Opened,
  replyTo: string,
): ServerFrameOf<'session.authenticated'> {
  const context = { now: gateway.clock.now(), policy: gateway.policy }
  return {
    type: 'session.authenticated',
    replyTo,
    user: signedInUser(snapshot, actorOf(snapshot, who), context),
    expiresAt: new Date(who.expiresAt).toISOString(),
    session: { ...timesOf(snapshot), endsAt: new Date(who.sessionExpiresAt).toISOString() },
    limits: { ...gateway.config.limits, ...gateway.config.preAuth },
  }
}
