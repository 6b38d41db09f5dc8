import type { StepUpRequest } from '@wardline/protocol'
import type { AuditReason } from '../audit/vocabulary.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import { heldFactor, useFactor } from '../factors/use-factor.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor, refuse } from '../http/decide.ts'
import type { Change } from '../storage/transaction.ts'
import { PASSWORD_ONLY, withSecondFactor } from './begin-session.ts'
import type { GrantedSession } from './grant.ts'

/**
 * Shows anew who it is, in a session that goes on: its `auth_time` is now, in this token and in those to come. Who has a
 * second factor shows that one: a password that was seen over a shoulder is not enough for what is of high risk.
 * @throws Refusal `invalid` with `why`; `rate-limited`; `step-up-required` for a password where a code is wanted
 */
export async function stepUp(ctx: Context, caller: Caller, given: StepUpRequest): Promise<GrantedSession> {
  const { tenant, user } = caller.actor
  await decideFor(ctx, caller, 'account.change', { kind: 'user', tenant, id: user })
  const held = await heldFactor(ctx, tenant, user)
  if ('password' in given) {
    if (held !== null) {
      return refuse(
        ctx,
        caller,
        new Refusal('step-up-required', 'second-factor', { why: 'code-wanted' }),
        'auth.step-up',
      )
    }
    await checkPassword(ctx, caller, given.password)
    return ctx.database.withTenant(tenant, (tx) => renew(tx, caller, PASSWORD_ONLY))
  }
  if (held === null) {
    return refuse(ctx, caller, wrong('second-factor', 'code-wrong', '/totp'), 'auth.step-up')
  }
  const done = await ctx.database.withTenant(tenant, async (tx) => {
    const verdict = await useFactor(tx, user, held, given)
    if (verdict.ok) return renew(tx, caller, withSecondFactor(verdict.amr))
    tx.audit({ ...caller.trail, action: 'auth.step-up', outcome: 'refused', reason: verdict.reason })
    return verdict
  })
  if (!('ok' in done)) return done
  const { reason, why, retryAfterMs } = done
  const refusal =
    retryAfterMs > 0 || why === null
      ? new Refusal('rate-limited', reason, { retryAfterMs })
      : wrong(reason, why, '/totp')
  refusal.audited = true
  throw refusal
}

async function checkPassword(ctx: Context, caller: Caller, password: string): Promise<void> {
  const { tenant, user } = caller.actor
  const where = { tenantId_id: { tenantId: tenant, id: user } }
  const row = await ctx.database.readTenant(tenant, (db) =>
    db.user.findUnique({ where, select: { passwordHash: true } }),
  )
  const { matches } = await ctx.passwords.verify(row?.passwordHash ?? null, password)
  if (!matches) await refuse(ctx, caller, wrong('password', 'password-wrong', '/password'), 'auth.step-up')
}

async function renew(
  { db, tenantId, at, audit }: Change,
  { authenticated, trail }: Caller,
  assurance: { readonly acr: string; readonly amr: readonly string[] },
): Promise<GrantedSession> {
  const { sid, cnf } = authenticated.claims
  const amr = [...assurance.amr]
  const [session] = await db.session.updateManyAndReturn({
    where: { tenantId, id: sid, endedAt: null },
    data: { authTime: new Date(at), acr: assurance.acr, amr },
    select: { expiresAt: true },
  })
  if (session === undefined) throw new Refusal('unauthenticated', 'session-ended')
  audit({ ...trail, action: 'auth.step-up', outcome: 'allowed' })
  return { id: sid, jkt: cnf.jkt, authTime: at, acr: assurance.acr, amr, expiresAt: session.expiresAt.getTime() }
}

function wrong(reason: AuditReason, why: NonNullable<Refusal['why']>, field: string): Refusal {
  return new Refusal('invalid', reason, { why, fields: [field] })
}
