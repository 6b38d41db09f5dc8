import { type AuditFact, auditId, auditSecretId } from '../audit/event.ts'
import { Refusal } from '../errors.ts'
import type { AccessClaims } from './access-token.ts'
import { MAX_TOKEN_LIFE_MS } from './access-token.ts'
import { sessionOfCookie } from './cookie-session.ts'
import { announceChange, endSession } from './end.ts'
import { type SessionDeps, useBareProof, type Where } from './grant.ts'
import { revokeToken } from './revoke-many.ts'

export type RevocationRequest = {
  readonly token: string
  readonly proof: string | undefined
  readonly path: string
  readonly where: Where
}

/**
 * OAuth token revocation (RFC 7009), by whoever holds the device's key that the token is bound to: an access token is worth nothing any
 * more, on every node and socket; a refresh token ends its session. What is no token of ours, or of another key's, changes nothing
 * and is answered alike (§2.2), but who tried a token of another key is written down.
 * @throws Refusal `unauthenticated` for the proof
 */
export async function revokeByToken(deps: SessionDeps, request: RevocationRequest): Promise<void> {
  const { jkt } = await useBareProof(deps, request.proof, request.path)
  const trail = { ...request.where, device: auditSecretId(jkt) }
  const claims = await claimsOf(deps, request.token)
  if (claims !== null) return revokeAccessToken(deps, claims, jkt, trail)
  const session = await sessionOfCookie(deps.database, request.token)
  if (session === null) return
  const { tenant, user, id } = session
  const by = { ...trail, actor: auditId(user), session: auditSecretId(id) }
  if (session.jkt !== jkt) return refused(deps, tenant, by)
  await endSession(deps, { tenant, user, session: id, reason: 'revoked', fact: { ...by, action: 'token.revoke' } })
}

/** Null for what was never a token of ours, or has expired: then there is nothing to revoke. */
async function claimsOf(deps: SessionDeps, token: string): Promise<AccessClaims | null> {
  try {
    return await deps.accessTokens.verify(token)
  } catch (error) {
    if (error instanceof Refusal) return null
    throw error
  }
}

async function revokeAccessToken(
  deps: SessionDeps,
  { tenant, sub: user, sid, jti, cnf }: AccessClaims,
  jkt: string,
  trail: Partial<AuditFact>,
): Promise<void> {
  const by = { ...trail, actor: auditId(user), session: auditSecretId(sid) }
  if (cnf.jkt !== jkt) return refused(deps, tenant, by)
  const version = await deps.database.withTenant(tenant, (tx) =>
    revokeToken(tx, { user, jti, expiresAt: tx.at + MAX_TOKEN_LIFE_MS }, { ...by, subject: auditSecretId(jti) }),
  )
  announceChange(deps, tenant, user, version)
  await deps.access.settled(tenant, user)
}

function refused(deps: SessionDeps, tenant: string, by: Partial<AuditFact>): Promise<void> {
  return deps.database.auditOnly(tenant, {
    ...by,
    action: 'token.revoke',
    outcome: 'refused',
    reason: 'device-mismatch',
  })
}
