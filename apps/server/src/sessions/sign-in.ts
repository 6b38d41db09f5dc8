import { type AuditFact, auditId, auditSecretId } from '../audit/event.ts'
import { registerDevice } from '../devices/register.ts'
import { Refusal, toRefusal } from '../errors.ts'
import { NIL_UUID } from '../storage/errors.ts'
import type { Change } from '../storage/transaction.ts'
import { randomSecretId } from './access-token.ts'
import { sessionOfCookie } from './cookie-session.ts'
import { announceChange, endSession } from './end.ts'
import {
  activeSnapshot,
  type Grant,
  type GrantedSession,
  grant,
  type SessionDeps,
  useBareProof,
  type Where,
} from './grant.ts'
import { newRefreshToken } from './refresh-token.ts'

export type SignInRequest = {
  readonly tenant: string
  readonly username: string
  readonly password: string
  /** The `DPoP` header: whose key it is signed by is the device that the session is bound to. */
  readonly proof: string | undefined
  readonly path: string
  /** The refresh cookie of whoever was signed in here before. */
  readonly cookie: string | undefined
  readonly where: Where
}

/** NIST SP 800-63B: one factor. */
const PASSWORD_ONLY = { acr: 'aal1', amr: ['pwd'] }

type UserRow = { id: string; kind: string; passwordHash: string | null; disabledAt: Date | null }

/**
 * Signs a person in with a password. No such tenant, no such user, a disabled one, a wrong password: the same answer,
 * after the same work; which of them it was is in the audit.
 * @throws Refusal `unauthenticated`; `unavailable` when too many sign-ins wait or the store is away
 */
export async function signIn(deps: SessionDeps, request: SignInRequest): Promise<Grant> {
  const seen: { tenant: string | null; trail: Partial<AuditFact> } = { tenant: null, trail: request.where }
  try {
    const { jkt } = await useBareProof(deps, request.proof, request.path)
    seen.trail = { ...seen.trail, device: auditSecretId(jkt) }
    const tenant = await deps.database.findTenant(request.tenant)
    seen.tenant = tenant?.id ?? null
    const user = await findUser(deps, tenant?.id ?? NIL_UUID, request.username)
    if (user !== null) seen.trail = { ...seen.trail, actor: auditId(user.id) }
    const stored = user?.kind === 'person' ? user.passwordHash : null
    const verdict = await deps.passwords.verify(stored, request.password)
    if (tenant === null) throw new Refusal('unauthenticated', 'unknown-tenant')
    if (user === null) throw new Refusal('unauthenticated', 'unknown-user')
    if (!verdict.matches) throw new Refusal('unauthenticated', 'password')
    if (user.disabledAt !== null) throw new Refusal('unauthenticated', 'user-disabled')
    if (tenant.disabledAt !== null) throw new Refusal('unauthenticated', 'tenant-disabled')
    const snapshot = await activeSnapshot(deps, tenant.id, user.id)
    await endReplaced(deps, request, jkt)
    const refreshToken = newRefreshToken(tenant.id)
    const begun = await deps.database.withTenant(tenant.id, (tx) =>
      beginSession(tx, deps.config.sessionMs, {
        user,
        jkt,
        rehashed: verdict.rehashed,
        digest: refreshToken.digest,
        trail: seen.trail,
      }),
    )
    announceChange(deps, tenant.id, user.id, begun.version)
    return await grant(deps, begun.session, snapshot, refreshToken.text)
  } catch (error) {
    const refusal = toRefusal(error)
    await deps.database.auditOnly(seen.tenant, {
      ...seen.trail,
      action: 'auth.login',
      outcome: refusal.code === 'unauthenticated' ? 'refused' : 'failed',
      reason: refusal.reason,
    })
    refusal.audited = true
    throw refusal
  }
}

/**
 * Who signs in at a browser takes the place of whoever was signed in there (ASVS 7.2.4): their cookie is overwritten, and a
 * session that nobody can refresh or find any more should not live on until its absolute end.
 */
async function endReplaced(deps: SessionDeps, { cookie, where }: SignInRequest, jkt: string): Promise<void> {
  const before = await sessionOfCookie(deps.database, cookie)
  if (before === null || before.ended || before.jkt !== jkt) return
  const { tenant, user, id } = before
  const trail = { ...where, actor: auditId(user), session: auditSecretId(id), device: auditSecretId(jkt) }
  await endSession(deps, { tenant, user, session: id, reason: 'replaced', fact: { ...trail, action: 'session.end' } })
}

/** Asked of no tenant as well, so that an unknown one takes as long. */
async function findUser(deps: SessionDeps, tenantId: string, username: string): Promise<UserRow | null> {
  return deps.database.readTenant(tenantId, (db) =>
    db.user.findUnique({
      where: { tenantId_username: { tenantId, username } },
      select: { id: true, kind: true, passwordHash: true, disabledAt: true },
    }),
  )
}

type Begin = {
  user: UserRow
  jkt: string
  rehashed: string | null
  digest: Uint8Array<ArrayBuffer>
  trail: Partial<AuditFact>
}

/**
 * The user's row is taken first: whoever disables the user, or sets another password, comes wholly before this, and then it
 * is refused, or wholly after, and ends this session too (Zulip CVE-2022-24751).
 */
async function beginSession(
  tx: Change,
  sessionMs: number,
  { user, jkt, rehashed, digest, trail }: Begin,
): Promise<{ session: GrantedSession; version: number }> {
  const { db, tenantId } = tx
  const [taken] = await db.user.updateManyAndReturn({
    where: { tenantId, id: user.id, disabledAt: null, passwordHash: user.passwordHash },
    data: { version: { increment: 1 }, ...(rehashed === null ? {} : { passwordHash: rehashed }) },
    select: { version: true },
  })
  if (taken === undefined) throw new Refusal('unauthenticated', 'user-disabled')
  const deviceId = await registerDevice(tx, user.id, jkt, trail)
  const session: GrantedSession = {
    id: randomSecretId(),
    jkt,
    authTime: tx.at,
    expiresAt: tx.at + sessionMs,
    ...PASSWORD_ONLY,
  }
  const at = new Date(tx.at)
  const expiresAt = new Date(session.expiresAt)
  await db.session.create({
    data: {
      tenantId,
      id: session.id,
      userId: user.id,
      deviceId,
      authTime: at,
      acr: session.acr,
      amr: [...session.amr],
      createdAt: at,
      lastSeenAt: at,
      expiresAt,
    },
  })
  await db.refreshToken.create({ data: { tenantId, digest, sessionId: session.id, issuedAt: at, expiresAt } })
  tx.audit({ ...trail, action: 'auth.login', outcome: 'allowed', session: auditSecretId(session.id) })
  return { session, version: taken.version }
}
