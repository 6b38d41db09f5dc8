import type { AccessSnapshot } from '../access/snapshot.ts'
import { type AuditFact, auditId, auditSecretId } from '../audit/event.ts'
import { Refusal, toRefusal } from '../errors.ts'
import type { Change, TenantDb } from '../storage/transaction.ts'
import { isShown } from './authenticate.ts'
import { announceChange, endSessions } from './end.ts'
import { activeSnapshot, type Grant, grant, type SessionDeps, useBareProof, type Where } from './grant.ts'
import { lockIfIdle } from './lock.ts'
import { newRefreshToken, type RefreshToken, readRefreshToken } from './refresh-token.ts'
import { changeIn, noticeChange } from './risk.ts'
import { auditReasonOf, idleTimes, isLocked } from './session-life.ts'
import type { UsedFrom } from './used-from.ts'

export type RefreshRequest = {
  readonly cookie: string | undefined
  readonly csrf: string | undefined
  readonly proof: string | undefined
  readonly path: string
  readonly where: Where
  readonly from?: UsedFrom
  /** Thumbprint of the client's certificate; null where none was shown. */
  readonly certificate: string | null
}

/**
 * A token that was spent so recently was spent by the other half of a race: another tab, or the same client twice. It is told
 * to come again, and by then it has the new cookie, or …
 */
const RACE_MS = 1_000
/** … the answer that held the new one was lost on the way. For so long the old one, with the same device's proof, gets another. */
const LOST_ANSWER_MS = 10_000
/** Two whose proofs were made so close together, by the device's own clock, are of one race, whatever held one of them up. */
const SAME_MOMENT_MS = 2_000

type Held = NonNullable<Awaited<ReturnType<typeof findToken>>>

/**
 * Gives a new access token for the refresh cookie, which is spent and replaced in one step: of any number of calls
 * with one cookie, one succeeds. One that was spent longer ago than a lost answer explains, or comes from another device, ends
 * the session, its tokens and its sockets.
 * @throws Refusal `unauthenticated`; `forbidden` without the CSRF token; `rate-limited` to the loser of a race
 */
export async function refresh(deps: SessionDeps, request: RefreshRequest): Promise<Grant> {
  // By when it came, not by when its turn came: those of a burst that a busy server keeps waiting are still of one race.
  const arrivedAt = deps.clock.now()
  const seen: { tenant: string | null; trail: Partial<AuditFact> } = { tenant: null, trail: request.where }
  try {
    const token = readRefreshToken(request.cookie)
    if (token === null) throw new Refusal('unauthenticated', 'no-credentials')
    const { jkt, issuedAt: proofAt } = await useBareProof(deps, request.proof, request.path)
    const held = await deps.database.readTenant(token.tenant, (db) => findToken(db, token))
    if (held === null) throw new Refusal('unauthenticated', 'token')
    const { session } = held
    seen.tenant = token.tenant
    seen.trail = {
      ...seen.trail,
      actor: auditId(session.userId),
      session: auditSecretId(session.id),
      device: auditSecretId(jkt),
    }
    if (isReuse(held, jkt, arrivedAt)) return await endReused(deps, token.tenant, held, seen.trail)
    if (!deps.csrf.matches(request.csrf, token.tenant, session.id)) throw new Refusal('forbidden', 'csrf')
    const isDevice = session.device.jkt === jkt && isShown(session.certificate, request.certificate)
    if (!isDevice) throw new Refusal('unauthenticated', 'device-mismatch')
    if (session.device.revokedAt !== null) throw new Refusal('unauthenticated', 'device-revoked')
    if (session.endedAt !== null) throw new Refusal('unauthenticated', 'session-ended')
    if (session.expiresAt.getTime() <= deps.clock.now()) throw new Refusal('unauthenticated', 'session-expired')
    const { snapshot, isLockedNow } = await lockedOrNot(deps, token.tenant, held, request.from, seen.trail)
    const next = newRefreshToken(token.tenant)
    await deps.database.withTenant(token.tenant, (tx) =>
      rotate(tx, token, next, { held, arrivedAt, proofAt, trail: seen.trail }),
    )
    const granted = {
      id: session.id,
      jkt,
      authTime: session.authTime.getTime(),
      acr: session.acr,
      amr: session.amr,
      expiresAt: session.expiresAt.getTime(),
      certificate: session.certificate,
    }
    const given = await grant(deps, granted, snapshot, next.text)
    return isLockedNow ? { ...given, locked: true } : given
  } catch (error) {
    const refusal = toRefusal(error)
    // Of nobody's cookie anybody may come with as many as they like: those are counted with other strangers' calls (http/refusal-audit.ts).
    if (seen.tenant === null) throw refusal
    if (!refusal.audited) {
      const outcome = refusal.code === 'internal' || refusal.code === 'unavailable' ? 'failed' : 'refused'
      await deps.database.auditOnly(seen.tenant, {
        ...seen.trail,
        action: 'auth.refresh',
        outcome,
        reason: refusal.reason,
      })
    }
    refusal.audited = true
    throw refusal
  }
}

/** Renewing shows nobody at the screen: an idle session is locked by it, and what has changed about it is noticed. */
async function lockedOrNot(
  deps: SessionDeps,
  tenant: string,
  { session: { id: session, userId: user } }: Held,
  from: UsedFrom | undefined,
  trail: Partial<AuditFact>,
): Promise<{ snapshot: AccessSnapshot; isLockedNow: boolean }> {
  const whose = { tenant, user, session }
  let snapshot = await activeSnapshot(deps, tenant, user)
  if (deps.clock.now() >= idleTimes(snapshot, session, deps.activity.seenAt(session)).lockAt) {
    await lockIfIdle(deps, whose, trail)
    snapshot = await activeSnapshot(deps, tenant, user)
  }
  const live = snapshot.sessions.get(session)
  const change = from === undefined || live === undefined ? null : changeIn(live, from)
  if (from !== undefined && change !== null) {
    const answer = await noticeChange(deps, whose, snapshot, from, trail)
    if (answer === 'end') throw new Refusal('unauthenticated', auditReasonOf[change])
    snapshot = await activeSnapshot(deps, tenant, user)
  }
  return { snapshot, isLockedNow: isLocked(snapshot, session) }
}

function findToken(db: TenantDb, { tenant, digest }: RefreshToken) {
  return db.refreshToken.findUnique({
    where: { tenantId_digest: { tenantId: tenant, digest } },
    select: {
      spentAt: true,
      spentProofAt: true,
      replacedBy: true,
      session: {
        select: {
          id: true,
          userId: true,
          authTime: true,
          acr: true,
          amr: true,
          expiresAt: true,
          endedAt: true,
          certificate: true,
          device: { select: { jkt: true, revokedAt: true } },
        },
      },
    },
  })
}

function isReuse({ spentAt, session }: Held, jkt: string, arrivedAt: number): boolean {
  if (spentAt === null || session.endedAt !== null) return false
  return arrivedAt - spentAt.getTime() > LOST_ANSWER_MS || session.device.jkt !== jkt
}

async function endReused(
  deps: SessionDeps,
  tenant: string,
  { session }: Held,
  trail: Partial<AuditFact>,
): Promise<never> {
  const { version } = await deps.database.withTenant(tenant, async (tx) => {
    tx.audit({ ...trail, action: 'auth.refresh', outcome: 'refused', reason: 'refresh-reuse' })
    tx.audit({ ...trail, action: 'session.end', outcome: 'allowed', reason: 'refresh-reuse' })
    return endSessions(tx, { user: session.userId, only: session.id }, 'refresh-reuse')
  })
  announceChange(deps, tenant, session.userId, version)
  const refusal = new Refusal('unauthenticated', 'refresh-reuse')
  refusal.audited = true
  throw refusal
}

/** The update that spends is the lock: of those that come together, the row lets one through and the others see it spent. */
async function rotate(
  tx: Change,
  token: RefreshToken,
  next: RefreshToken,
  { held, arrivedAt, proofAt, trail }: { held: Held; arrivedAt: number; proofAt: number; trail: Partial<AuditFact> },
): Promise<void> {
  const { db, tenantId } = tx
  const { session } = held
  const at = new Date(tx.at)
  const spend = (digest: Uint8Array<ArrayBuffer>) =>
    db.refreshToken.updateMany({
      where: { tenantId, digest, spentAt: null },
      data: { spentAt: at, spentProofAt: new Date(proofAt), replacedBy: next.digest },
    })
  if ((await spend(token.digest)).count === 0) {
    const now = await findToken(db, token)
    const lost = now?.replacedBy
    const agoMs = arrivedAt - (now?.spentAt?.getTime() ?? arrivedAt)
    const isSameMoment = proofAt - (now?.spentProofAt?.getTime() ?? 0) < SAME_MOMENT_MS
    // Within the race, or the successor has been used: so the new cookie is out there, and this client will find it.
    if (agoMs < RACE_MS || isSameMoment || !lost || (await spend(new Uint8Array(lost))).count === 0) {
      throw new Refusal('rate-limited', 'refresh-race', { retryAfterMs: RACE_MS })
    }
    await db.refreshToken.update({
      where: { tenantId_digest: { tenantId, digest: token.digest } },
      data: { spentProofAt: new Date(proofAt), replacedBy: next.digest },
    })
  }
  const alive = await db.session.updateMany({
    where: { tenantId, id: session.id, endedAt: null },
    data: { lastSeenAt: at },
  })
  if (alive.count === 0) throw new Refusal('unauthenticated', 'session-ended')
  await db.refreshToken.create({
    data: { tenantId, digest: next.digest, sessionId: session.id, issuedAt: at, expiresAt: session.expiresAt },
  })
  tx.audit({ ...trail, action: 'auth.refresh', outcome: 'allowed' })
}
