import { type AuditFact, auditId, auditSecretId } from '../audit/event.ts'
import { Refusal, toRefusal } from '../errors.ts'
import { type GivenFactor, showFactor } from '../factors/prove-factor.ts'
import type { FactorVerdict } from '../factors/use-factor.ts'
import { beginSession, withSecondFactor } from './begin-session.ts'
import { spendAttempt } from './challenge.ts'
import { announceChange } from './end.ts'
import { activeSnapshot, type Grant, grant, type SessionDeps, sessionMsOf, useBareProof, type Where } from './grant.ts'
import { newRefreshToken, type RefreshToken, readRefreshToken } from './refresh-token.ts'
import { endReplaced } from './sign-in.ts'
import type { UsedFrom } from './used-from.ts'

export type SecondFactorRequest = {
  /** Of the answer to the password. */
  readonly challenge: string
  readonly given: GivenFactor
  readonly proof: string | undefined
  readonly path: string
  readonly cookie: string | undefined
  readonly where: Where
  readonly from?: UsedFrom
  /** Thumbprint of the client's certificate; null where none was shown. */
  readonly certificate: string | null
}

type Failed = Extract<FactorVerdict, { ok: false }>

const CHALLENGE_OVER: Failed = { ok: false, reason: 'challenge', why: null, retryAfterMs: 0 }

/**
 * The second half of a sign-in. The challenge is good at the device that got it, for a few minutes and a few tries; the
 * code, the challenge and the new session are one transaction, so that none of them is used twice or for nothing.
 * @throws Refusal `unauthenticated`, with `why` where it was the code; `rate-limited` where the account's codes have to wait
 */
export async function signInWithSecondFactor(deps: SessionDeps, request: SecondFactorRequest): Promise<Grant> {
  const seen: { tenant: string | null; trail: Partial<AuditFact> } = { tenant: null, trail: request.where }
  try {
    const { jkt } = await useBareProof(deps, request.proof, request.path)
    seen.trail = { ...seen.trail, device: auditSecretId(jkt) }
    const token = readRefreshToken(request.challenge)
    const asked = token === null ? null : await findChallenge(deps, token)
    if (token === null || asked === null) throw new Refusal('unauthenticated', 'challenge')
    seen.tenant = token.tenant
    seen.trail = { ...seen.trail, actor: auditId(asked.user.id) }
    if (asked.jkt !== jkt) throw new Refusal('unauthenticated', 'device-mismatch')
    const use = { use: 'second-factor', jkt, tenant: token.tenant, challenge: token.digest } as const
    const who = { tenant: token.tenant, user: asked.user.id }
    const shown = await showFactor(deps, who, request.given, use)
    const snapshot = await activeSnapshot(deps, token.tenant, asked.user.id)

    const refreshToken = newRefreshToken(token.tenant)
    const done = await deps.database.withTenant(token.tenant, async (tx) => {
      const { db, tenantId } = tx
      const { user } = asked
      // The user's row first, as everybody who changes the account does.
      const { passwordHash } = user
      await db.user.updateMany({ where: { tenantId, id: user.id, passwordHash }, data: { passwordHash } })
      const spent = await spendAttempt(tx, token.digest)
      const verdict = spent ? await shown.use(tx) : CHALLENGE_OVER
      if (!verdict.ok) {
        tx.audit({ ...seen.trail, action: 'auth.second-factor', outcome: 'refused', reason: verdict.reason })
        return verdict
      }
      await db.signInChallenge.deleteMany({ where: { tenantId, digest: token.digest } })
      return beginSession(tx, {
        user,
        jkt,
        rehashed: null,
        digest: refreshToken.digest,
        sessionMs: sessionMsOf(deps, snapshot),
        assurance: withSecondFactor(verdict.amr),
        action: 'auth.second-factor',
        trail: seen.trail,
        certificate: request.certificate,
        ...(request.from === undefined ? {} : { from: request.from }),
      })
    })
    if ('ok' in done) throw refusalOf(done)
    announceChange(deps, token.tenant, asked.user.id, done.version)
    await endReplaced(deps, request, jkt)
    return await grant(deps, done.session, snapshot, refreshToken.text)
  } catch (error) {
    const refusal = toRefusal(error)
    if (!refusal.audited) {
      await deps.database.auditOnly(seen.tenant, {
        ...seen.trail,
        action: 'auth.second-factor',
        outcome: refusal.code === 'unauthenticated' ? 'refused' : 'failed',
        reason: refusal.reason,
      })
    }
    refusal.audited = true
    throw refusal
  }
}

async function findChallenge(deps: SessionDeps, { tenant: tenantId, digest }: RefreshToken) {
  return deps.database.readTenant(tenantId, (db) =>
    db.signInChallenge.findUnique({
      where: { tenantId_digest: { tenantId, digest } },
      select: { jkt: true, user: { select: { id: true, passwordHash: true } } },
    }),
  )
}

/** It was audited with the try that it counted. */
function refusalOf({ reason, why, retryAfterMs }: Failed): Refusal {
  const refusal =
    retryAfterMs > 0
      ? new Refusal('rate-limited', reason, { retryAfterMs })
      : new Refusal('unauthenticated', reason, why === null ? {} : { why })
  refusal.audited = true
  return refusal
}
