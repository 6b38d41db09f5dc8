import type { PasskeyRequest, StepUpRequest } from '@wardline/protocol'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import { hasSecondFactor } from '../factors/held.ts'
import { CHALLENGE_MS } from '../factors/passkey-challenges.ts'
import { describePasskeys } from '../factors/passkey-rows.ts'
import { proveFactor, proverOf } from '../factors/prove-factor.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor, refuse } from '../http/decide.ts'
import type { Change } from '../storage/transaction.ts'
import type { GrantedSession } from './grant.ts'

/**
 * Shows anew who it is, in a session that goes on: its `auth_time` is now, in this token and in those to come. Who has a
 * second factor shows that one: a password that was seen over a shoulder is not enough for what is of high risk.
 * @throws Refusal `invalid` with `why`; `rate-limited`; `step-up-required` for a password where a code is wanted
 */
export async function stepUp(ctx: Context, caller: Caller, given: StepUpRequest): Promise<GrantedSession> {
  const { tenant, user } = caller.actor
  const action = 'auth.step-up'
  await decideFor(ctx, caller, 'account.change', { kind: 'user', tenant, id: user })
  if ('password' in given && (await hasSecondFactor(ctx, tenant, user))) {
    const refusal = new Refusal('step-up-required', 'second-factor', { why: 'code-wanted', acr: 'aal2' })
    return refuse(ctx, caller, refusal, action)
  }
  const shown = await proveFactor(ctx, proverOf(caller), given)
  const done = await ctx.database.withTenant(tenant, async (tx) => {
    const verdict = await shown.use(tx)
    if (verdict.ok) return renew(tx, caller, assuranceOf(caller, verdict))
    tx.audit({ ...caller.trail, action, outcome: 'refused', reason: verdict.reason })
    return verdict
  })
  if (!('ok' in done)) return done
  const { reason, why, retryAfterMs } = done
  const refusal =
    retryAfterMs > 0 || why === null
      ? new Refusal('rate-limited', reason, { retryAfterMs })
      : new Refusal('invalid', reason, { why, fields: [`/${Object.keys(given)[0] ?? ''}`] })
  refusal.audited = true
  throw refusal
}

/** What an authenticator is to be asked for, for stepping up in this session or unlocking it: of who has a passkey. */
export async function askToStepUp(ctx: Context, caller: Caller): Promise<PasskeyRequest> {
  const { tenant: tenantId, user: userId } = caller.actor
  await decideFor(ctx, caller, 'account.read', { kind: 'user', tenant: tenantId, id: userId })
  const credentials = await ctx.database.readTenant(tenantId, (db) => describePasskeys(db, tenantId, userId))
  const { rpId } = ctx.site
  if (rpId === null || credentials.length === 0) {
    return refuse(ctx, caller, new Refusal('not-found', 'passkey'), 'auth.step-up')
  }
  const count = credentials.length
  await ctx.database.auditOnly(tenantId, { ...caller.trail, action: 'account.read', outcome: 'allowed', count })
  const challenge = ctx.passkeys.issue({ use: 'confirm', ...proverOf(caller) })
  return { challenge, rpId, timeoutMs: CHALLENGE_MS, credentials }
}

type Assurance = { readonly acr: string; readonly amr: readonly string[] }

/** A code is shown beside what the session began with; a passkey and a password are what they are. */
function assuranceOf({ authenticated }: Caller, { acr, amr }: Assurance): Assurance {
  const began = authenticated.claims.amr.filter((word) => BEGINNINGS.has(word))
  return { acr, amr: amr.includes('user') || acr === 'aal1' ? amr : [...new Set([...began, ...amr])] }
}

const BEGINNINGS: ReadonlySet<string> = new Set(['pwd', 'hwk', 'swk', 'user'])

async function renew(
  { db, tenantId, at, audit }: Change,
  { authenticated, trail }: Caller,
  assurance: Assurance,
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
  const { acr } = assurance
  const certificate = cnf['x5t#S256'] ?? null
  return { id: sid, jkt: cnf.jkt, authTime: at, acr, amr, expiresAt: session.expiresAt.getTime(), certificate }
}
