import { type AuditFact, auditId, auditSecretId } from '../audit/event.ts'
import { Refusal } from '../errors.ts'
import { type Authenticate, createAuthenticate } from './authenticate.ts'
import { type EndReason, endSessions } from './end.ts'
import { type Grant, type SessionDeps, useBareProof, type Where } from './grant.ts'
import { type RefreshRequest, refresh } from './refresh.ts'
import { readRefreshToken } from './refresh-token.ts'
import { type SignInRequest, signIn } from './sign-in.ts'

export type EndRequest = {
  readonly tenant: string
  readonly user: string
  /** The session's id. */
  readonly session: string
  readonly reason: EndReason
  /** The audit event: who, from where, and as which action. */
  readonly fact: Omit<AuditFact, 'outcome' | 'reason'>
}

/** Everything about sign-ins, for HTTP and socket alike. */
export type Sessions = {
  readonly authenticate: Authenticate
  signIn(request: SignInRequest): Promise<Grant>
  refresh(request: RefreshRequest): Promise<Grant>
  /**
   * Ends one session, with its tokens and its sockets on every node. One that has ended stays as it is; that it was
   * asked for is audited as `repeated`.
   */
  end(request: EndRequest): Promise<void>
  /** Ends the session that a refresh cookie belongs to: the way out for who has no living access token any more. */
  signOutByCookie(request: RefreshRequest): Promise<void>
  /** Tells this node and the others that a user's rights or sign-ins have changed: after the transaction that bumped `version`. */
  changed(tenant: string, user: string, version: number): void
}

export function createSessions(deps: SessionDeps): Sessions {
  const sessions: Sessions = {
    authenticate: createAuthenticate(deps),
    signIn: (request) => signIn(deps, request),
    refresh: (request) => refresh(deps, request),
    async end({ tenant, user, session, reason, fact }) {
      const { version } = await deps.database.withTenant(tenant, async (tx) => {
        const ended = await endSessions(tx, { user, only: session }, reason)
        tx.audit({ ...fact, outcome: ended.count > 0 ? 'allowed' : 'repeated', reason })
        return ended
      })
      sessions.changed(tenant, user, version)
    },
    async signOutByCookie({ cookie, csrf, proof, path, where }) {
      const token = readRefreshToken(cookie)
      if (token === null) throw new Refusal('unauthenticated', 'no-credentials')
      const { jkt } = await useBareProof(deps, proof, path)
      const held = await deps.database.readTenant(token.tenant, (db) =>
        db.refreshToken.findUnique({
          where: { tenantId_digest: { tenantId: token.tenant, digest: token.digest } },
          select: { session: { select: { id: true, userId: true, device: { select: { jkt: true } } } } },
        }),
      )
      if (held === null) throw new Refusal('unauthenticated', 'token')
      const { id, userId, device } = held.session
      if (!deps.csrf.matches(csrf, token.tenant, id)) throw new Refusal('forbidden', 'csrf')
      if (device.jkt !== jkt) throw new Refusal('unauthenticated', 'device-mismatch')
      await sessions.end({
        tenant: token.tenant,
        user: userId,
        session: id,
        reason: 'logout',
        fact: logoutFact(where, userId, id, jkt),
      })
    },
    changed(tenant, user, version) {
      deps.access.changed(tenant, user)
      deps.bus.publish({ k: 'user', t: tenant, u: user, v: version })
    },
  }
  return sessions
}

function logoutFact(where: Where, user: string, session: string, jkt: string): EndRequest['fact'] {
  return {
    ...where,
    action: 'auth.logout',
    actor: auditId(user),
    session: auditSecretId(session),
    device: auditSecretId(jkt),
  }
}
