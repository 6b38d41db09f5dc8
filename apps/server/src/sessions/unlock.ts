import type { LockReason, StepUpRequest } from '@wardline/protocol'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import { countFactors } from '../factors/held.ts'
import { proveFactor, proverOf } from '../factors/prove-factor.ts'
import type { FactorVerdict } from '../factors/use-factor.ts'
import type { Caller } from '../http/caller.ts'
import type { Change } from '../storage/transaction.ts'
import { endSessions } from './end.ts'
import type { GrantedSession } from './grant.ts'
import { isForRisk } from './session-life.ts'

type Wrong = Extract<FactorVerdict, { ok: false }>

/** Wrong tries at one lock; the last ends the session, and what is left is to sign in. */
const UNLOCK_TRIES = 5

/**
 * Opens a locked session for whoever it belongs to. After idling a password does, or a passkey, even of who signed in with
 * two factors: the session itself is the other (NIST SP 800-63B §4.2.3). After a change of risk it takes what a step-up takes, and
 * counts as one.
 * @throws Refusal `invalid` with `why`; `rate-limited`; `step-up-required` for a password where more is wanted; `unauthenticated`
 * after the last try
 */
export async function unlock(ctx: Context, caller: Caller, given: StepUpRequest): Promise<GrantedSession> {
  const { tenant, user } = caller.actor
  const { sid } = caller.authenticated.claims
  const action = 'session.unlock'
  const shown = await proveFactor(ctx, proverOf(caller), given)
  const done = await ctx.database.withTenant(tenant, async (tx) => {
    const { db, tenantId, at } = tx
    // The user's row first, as everybody who changes the account does.
    const { version } = await db.user.update({
      where: { tenantId_id: { tenantId, id: user } },
      data: { version: { increment: 1 } },
      select: { version: true },
    })
    // Only now: what is known of the session may be older than what has changed about it, by this very call perhaps.
    const isRisk = await isLockedForRisk(tx, sid)
    if (isRisk && 'password' in given && (await countFactors(db, tenantId, user)) > 0) {
      tx.audit({ ...caller.trail, action, outcome: 'refused', reason: 'second-factor' })
      return { version, isTooLittle: true } as const
    }
    const verdict = await shown.use(tx)
    const where = { tenantId, id: sid, endedAt: null }
    if (verdict.ok) {
      const proof = isRisk ? { authTime: new Date(at), acr: verdict.acr, amr: [...verdict.amr] } : {}
      const [opened] = await db.session.updateManyAndReturn({
        where,
        data: { lockedAt: null, lockReason: null, unlockFailures: 0, activeAt: new Date(at), ...proof },
      })
      if (opened === undefined) throw new Refusal('unauthenticated', 'session-ended')
      tx.audit({ ...caller.trail, action, outcome: 'allowed' })
      return { version, opened }
    }
    tx.audit({ ...caller.trail, action, outcome: 'refused', reason: verdict.reason })
    const [tried] = await db.session.updateManyAndReturn({
      where,
      data: { unlockFailures: { increment: 1 } },
      select: { unlockFailures: true },
    })
    const isOver = (tried?.unlockFailures ?? 0) >= UNLOCK_TRIES
    if (!isOver) return { version, verdict }
    const ended = await endSessions(tx, { user, only: sid }, 'risk')
    tx.audit({ ...caller.trail, action: 'session.end', outcome: 'allowed', reason: 'attempts', count: ended.count })
    return { version: ended.version, verdict, isOver }
  })
  ctx.sessions.changed(tenant, user, done.version)
  await ctx.access.settled(tenant, user)
  if (done.opened !== undefined) {
    const { authTime, acr, amr, expiresAt, certificate } = done.opened
    const { jkt } = caller.authenticated.claims.cnf
    return { id: sid, jkt, authTime: authTime.getTime(), acr, amr, expiresAt: expiresAt.getTime(), certificate }
  }
  const refusal = done.isTooLittle === true ? tooLittle() : refusalOf(done.verdict, given, done.isOver === true)
  refusal.audited = true
  throw refusal
}

function tooLittle(): Refusal {
  return new Refusal('step-up-required', 'second-factor', { why: 'code-wanted', acr: 'aal2' })
}

function refusalOf({ reason, why, retryAfterMs }: Wrong, given: StepUpRequest, isOver: boolean): Refusal {
  if (isOver) return new Refusal('unauthenticated', 'attempts')
  if (retryAfterMs > 0 || why === null) return new Refusal('rate-limited', reason, { retryAfterMs })
  return new Refusal('invalid', reason, { why, fields: [`/${Object.keys(given)[0] ?? ''}`] })
}

async function isLockedForRisk({ db, tenantId }: Change, session: string): Promise<boolean> {
  const where = { tenantId_id: { tenantId, id: session } }
  const { lockReason: why } = (await db.session.findUnique({ where, select: { lockReason: true } })) ?? {}
  // The database's check holds it to the list.
  return typeof why === 'string' && isForRisk(why as LockReason)
}
