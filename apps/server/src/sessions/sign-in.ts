import { type AuditFact, auditId, auditSecretId } from '../audit/event.ts'
import { Refusal, toRefusal } from '../errors.ts'
import { type Descriptor, described, descriptorOf } from '../factors/passkey-rows.ts'
import { NIL_UUID } from '../storage/errors.ts'
import { beginSession, PASSWORD_ONLY } from './begin-session.ts'
import { askSecondFactor, type SecondFactorAsked } from './challenge.ts'
import { sessionOfCookie } from './cookie-session.ts'
import { announceChange, endSession } from './end.ts'
import { activeSnapshot, type Grant, grant, type SessionDeps, sessionMsOf, useBareProof, type Where } from './grant.ts'
import { newRefreshToken } from './refresh-token.ts'
import type { UsedFrom } from './used-from.ts'

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
  readonly from?: UsedFrom
  /** Thumbprint of the client's certificate; null where none was shown. */
  readonly certificate: string | null
}

type UserRow = {
  id: string
  kind: string
  passwordHash: string | null
  disabledAt: Date | null
  /** Whether an authenticator app is in force. */
  totp: boolean
  passkeys: readonly Descriptor[]
  /** Whether they have signed in with this key before. */
  knownDevice: boolean
}

/**
 * Signs a person in with a password. No such tenant, no such user, a disabled one, a wrong password: the same answer,
 * after the same work; which of them it was is in the audit. Who has a second factor is asked for it, and nothing has begun yet.
 * @throws Refusal `unauthenticated`; `unavailable` when too many sign-ins wait or the store is away
 */
export async function signIn(deps: SessionDeps, request: SignInRequest): Promise<Grant | SecondFactorAsked> {
  const seen: { tenant: string | null; trail: Partial<AuditFact> } = { tenant: null, trail: request.where }
  try {
    const { jkt } = await useBareProof(deps, request.proof, request.path)
    seen.trail = { ...seen.trail, device: auditSecretId(jkt) }
    const tenant = await deps.database.findTenant(request.tenant)
    seen.tenant = tenant?.id ?? null
    const user = await findUser(deps, tenant?.id ?? NIL_UUID, request.username, jkt)
    if (user !== null) seen.trail = { ...seen.trail, actor: auditId(user.id) }
    const stored = user?.kind === 'person' ? user.passwordHash : null
    const attempt = await deps.slowDown.begin({
      tenant: tenant?.id ?? NIL_UUID,
      username: request.username,
      jkt,
      knownDevice: user?.knownDevice === true,
      address: request.where.address ?? '',
    })
    if (attempt.waitMs > 0) throw new Refusal('rate-limited', 'attempts', { retryAfterMs: attempt.waitMs })
    const giver = user?.knownDevice === true ? 'known' : 'anybody'
    const verdict = await deps.passwords.verify(stored, request.password, giver)
    const mayPass = verdict.matches && user?.disabledAt === null && tenant?.disabledAt === null
    const retryAfterMs = mayPass ? await attempt.succeeded() : await attempt.failed().then(() => 0)
    if (retryAfterMs > 0) throw new Refusal('rate-limited', 'attempts', { retryAfterMs })
    if (tenant === null) throw new Refusal('unauthenticated', 'unknown-tenant')
    if (user === null) throw new Refusal('unauthenticated', 'unknown-user')
    if (!verdict.matches) throw new Refusal('unauthenticated', 'password')
    if (user.disabledAt !== null) throw new Refusal('unauthenticated', 'user-disabled')
    if (tenant.disabledAt !== null) throw new Refusal('unauthenticated', 'tenant-disabled')
    const snapshot = await activeSnapshot(deps, tenant.id, user.id)
    const { certificate } = request
    const from = request.from === undefined ? {} : { from: request.from }
    const signing = { user, jkt, rehashed: verdict.rehashed, trail: seen.trail, certificate, ...from }
    if (user.totp || user.passkeys.length > 0) {
      return await deps.database.withTenant(tenant.id, (tx) => askSecondFactor(deps, tx, signing))
    }
    await endReplaced(deps, request, jkt)
    const refreshToken = newRefreshToken(tenant.id)
    const { digest } = refreshToken
    const sessionMs = sessionMsOf(deps, snapshot)
    const begun = await deps.database.withTenant(tenant.id, (tx) =>
      beginSession(tx, { ...signing, digest, sessionMs, assurance: PASSWORD_ONLY, action: 'auth.login' }),
    )
    announceChange(deps, tenant.id, user.id, begun.version)
    return await grant(deps, begun.session, snapshot, refreshToken.text)
  } catch (error) {
    const refusal = toRefusal(error)
    await deps.database.auditOnly(seen.tenant, {
      ...seen.trail,
      action: 'auth.login',
      outcome: ['unauthenticated', 'rate-limited'].includes(refusal.code) ? 'refused' : 'failed',
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
export async function endReplaced(
  deps: SessionDeps,
  { cookie, where }: Pick<SignInRequest, 'cookie' | 'where'>,
  jkt: string,
): Promise<void> {
  const before = await sessionOfCookie(deps.database, cookie)
  if (before === null || before.ended || before.jkt !== jkt) return
  const { tenant, user, id } = before
  const trail = { ...where, actor: auditId(user), session: auditSecretId(id), device: auditSecretId(jkt) }
  await endSession(deps, { tenant, user, session: id, reason: 'replaced', fact: { ...trail, action: 'session.end' } })
}

/**
 * Asked of no tenant as well, and of no user, so that unknown ones take as long. One after the other: relations of one query Prisma
 * reads all at once, and a transaction has one connection.
 */
async function findUser(deps: SessionDeps, tenantId: string, username: string, jkt: string): Promise<UserRow | null> {
  return deps.database.readTenant(tenantId, async (db) => {
    const user = await db.user.findUnique({
      where: { tenantId_username: { tenantId, username } },
      select: { id: true, kind: true, passwordHash: true, disabledAt: true },
    })
    const of = { tenantId, userId: user?.id ?? NIL_UUID }
    const confirmed = { removedAt: null, confirmedAt: { not: null } }
    const totp = await db.secondFactor.findFirst({ where: { ...of, ...confirmed }, select: { id: true } })
    const device = await db.device.findFirst({ where: { ...of, jkt, revokedAt: null }, select: { id: true } })
    const passkeys = await db.passkey.findMany({
      where: { ...of, removedAt: null },
      select: described,
      orderBy: { createdAt: 'asc' },
    })
    if (user === null) return null
    return { ...user, totp: totp !== null, passkeys: passkeys.map(descriptorOf), knownDevice: device !== null }
  })
}
