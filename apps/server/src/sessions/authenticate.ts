import { type ActorCredentials, parseScopes } from '@wardline/policy'
import type { Access } from '../access/access.ts'
import { type AccessSnapshot, isSessionLive } from '../access/snapshot.ts'
import { type AuditId, type AuditSecretId, auditId, auditSecretId } from '../audit/event.ts'
import type { AuditReason } from '../audit/vocabulary.ts'
import type { Clock } from '../clock.ts'
import { Refusal, toRefusal } from '../errors.ts'
import type { Site } from '../http/site.ts'
import type { AccessClaims, AccessTokens } from './access-token.ts'
import type { Activity } from './activity.ts'
import { type LockDeps, lockedRefusal, lockIfIdle, trailOfSession, type Whose } from './lock.ts'
import { checkProof } from './proof.ts'
import { changeIn, noticeChange, refusalAfter } from './risk.ts'
import { auditReasonOf, idleTimes, isLocked, isOutdated } from './session-life.ts'
import type { UsedFrom } from './used-from.ts'
import type { UsedProofs } from './used-proofs.ts'

/** What a client shows of itself, over HTTP or on the socket. */
export type Presented = {
  readonly token: string
  readonly proof: string
  /** What the proof must name: the method (`GET` on a socket) and the path. */
  readonly method: string
  readonly path: string
  /** The challenge of the socket. With one, a proof is good on that socket alone and the socket forgets the challenge. */
  readonly nonce?: string
  /** From where: what has changed about it is noticed. */
  readonly from?: UsedFrom
  /** Thumbprint of the client's certificate; null where none was shown. */
  readonly certificate: string | null
  /** Whether who holds a locked session may ask this all the same: to unlock it, or to leave. */
  readonly whileLocked?: boolean
}

/** Who has shown that they hold a living session's token and its device's key. */
export type Authenticated = {
  readonly claims: AccessClaims
  readonly tenant: string
  readonly user: string
  /** The user again, the session and the device's thumbprint, as the audit takes them. */
  readonly actor: AuditId
  readonly session: AuditSecretId
  readonly device: AuditSecretId
  /** When the token expires, and when the session does at the latest; ms of the epoch. */
  readonly expiresAt: number
  readonly sessionExpiresAt: number
  /** What the token says of how they signed in, and its scopes: the upper half of an actor. */
  readonly credentials: ActorCredentials
}

type Trail = ReturnType<typeof trailOfSession>

export type Authenticate = (presented: Presented) => Promise<Authenticated>

export type AuthenticateDeps = {
  readonly clock: Clock
  readonly site: Site
  readonly access: Access
  readonly database: LockDeps['database']
  readonly bus: LockDeps['bus']
  readonly activity: Activity
  readonly accessTokens: AccessTokens
  readonly usedProofs: UsedProofs
}

/**
 * The one check of who asks, for HTTP and socket alike, in the order of security-cases.md: token (size, key, algorithm, type,
 * issuer, audience, times), then whether session and user live, then the proof, its binding, and that it is used once.
 * Whatever of that fails, the asker hears the same; the reason is for the audit. Then what has become of the session: only who
 * holds its key moves it, locks it, or hears that it is locked.
 * @throws Refusal `unauthenticated`; `locked`; `unavailable` where the store is away
 */
export function createAuthenticate(deps: AuthenticateDeps): Authenticate {
  const { clock, site, access, accessTokens, usedProofs } = deps
  return async ({ token, proof, method, path, nonce, from, certificate, whileLocked = false }) => {
    const claims = await accessTokens.verify(token)
    let device: AuditSecretId | undefined
    try {
      const snapshot = await liveSnapshot(claims)
      if (snapshot.revokedTokens.has(claims.jti)) throw new Refusal('unauthenticated', 'revoked')
      const target = { htm: method, isTarget: (htu: string) => site.matchesTarget(htu, path), token, nonce }
      const checked = await checkProof(proof, target, clock.now())
      device = auditSecretId(checked.jkt)
      if (checked.jkt !== claims.cnf.jkt) throw new Refusal('unauthenticated', 'device-mismatch')
      if (!isShown(claims.cnf['x5t#S256'], certificate)) throw new Refusal('unauthenticated', 'device-mismatch')
      if (nonce === undefined && !(await usedProofs.use(checked))) throw new Refusal('unauthenticated', 'proof-replay')
      return authenticated(claims, await watched(claims, snapshot, from, whileLocked))
    } catch (error) {
      const refusal = toRefusal(error)
      const { tenant, sub, sid } = claims
      const trail = { actor: auditId(sub), session: auditSecretId(sid) }
      // Whose key it was, where one was shown: of a token that was carried off, the thief's.
      refusal.claimed = { tenant, trail: device === undefined ? trail : { ...trail, device } }
      throw refusal
    }
  }

  async function liveSnapshot(claims: AccessClaims): Promise<AccessSnapshot> {
    const known = await access.load(claims.tenant, claims.sub)
    if (known !== null && isSessionLive(known, claims.sid, clock.now())) return known
    // A sign-in of a moment ago, on another node: what is known here may be older than it.
    const fresh = await access.load(claims.tenant, claims.sub, { fresh: true })
    if (fresh !== null && isSessionLive(fresh, claims.sid, clock.now())) return fresh
    throw new Refusal('unauthenticated', whyNot(fresh, claims.sid))
  }

  /** The session as it is after this use of it: moved, locked, or the token too old. */
  async function watched(
    claims: AccessClaims,
    snapshot: AccessSnapshot,
    from: UsedFrom | undefined,
    whileLocked: boolean,
  ): Promise<AccessSnapshot> {
    const whose = { tenant: claims.tenant, user: claims.sub, session: claims.sid }
    const trail = { ...trailOfSession(whose), device: auditSecretId(claims.cnf.jkt) }
    const latest = await openedOrIdle(whose, snapshot, trail)
    const live = latest.sessions.get(whose.session)
    if (live === undefined) throw new Refusal('unauthenticated', 'session-ended')
    const change = from === undefined ? null : changeIn(live, from)
    if (from !== undefined && change !== null) {
      const refusal = refusalAfter(await noticeChange(deps, whose, latest, from, trail), change)
      if (refusal !== null && !(refusal.code === 'locked' && whileLocked)) throw refusal
    }
    if (live.locked !== null && !whileLocked) throw lockedRefusal(live.locked)
    if (live.renewal !== null && isOutdated(live, claims.iat, clock.now())) {
      throw new Refusal('unauthenticated', auditReasonOf[live.renewal.reason])
    }
    return latest
  }

  /** What is known, once it is not older than an unlocking, or somebody's doing something, on another node. */
  async function openedOrIdle(whose: Whose, known: AccessSnapshot, trail: Trail): Promise<AccessSnapshot> {
    const { lockAt } = idleTimes(known, whose.session, deps.activity.seenAt(whose.session))
    if (!isLocked(known, whose.session) && clock.now() < lockAt) return known
    return (await lockIfIdle(deps, whose, trail)) ?? known
  }
}

/** Whether the certificate that something is bound to was shown; true where it is bound to none (RFC 8705 §3). */
export function isShown(bound: string | null | undefined, certificate: string | null): boolean {
  return bound === null || bound === undefined || bound === certificate
}

function whyNot(snapshot: AccessSnapshot | null, session: string): AuditReason {
  if (snapshot === null) return 'unknown-user'
  if (snapshot.access.status !== 'active') return 'user-disabled'
  return snapshot.sessions.has(session) ? 'session-expired' : 'session-ended'
}

function authenticated(claims: AccessClaims, snapshot: AccessSnapshot): Authenticated {
  const expiresAt = claims.exp * 1000
  return {
    claims,
    tenant: claims.tenant,
    user: claims.sub,
    actor: auditId(claims.sub),
    session: auditSecretId(claims.sid),
    device: auditSecretId(claims.cnf.jkt),
    expiresAt,
    sessionExpiresAt: snapshot.sessions.get(claims.sid)?.expiresAt ?? expiresAt,
    credentials: {
      scopes: parseScopes(claims.scope),
      authTime: claims.auth_time * 1000,
      acr: claims.acr,
      mtls: claims.cnf['x5t#S256'] !== undefined,
    },
  }
}
