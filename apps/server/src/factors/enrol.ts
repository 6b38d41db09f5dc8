import { randomUUID } from 'node:crypto'
import type { Factors, TotpEnrolment } from '@wardline/protocol'
import { auditId } from '../audit/event.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor, refuse } from '../http/decide.ts'
import { withSecondFactor } from '../sessions/begin-session.ts'
import { endSessions } from '../sessions/end.ts'
import type { Change } from '../storage/transaction.ts'
import { newRecoveryCodes } from './recovery-codes.ts'
import { newTotpSecret, totpStep, totpUri } from './totp.ts'
import { insertTotp, putInForce, voidRecoveryCodes, voidTotps } from './totp-rows.ts'
import { factorPlace } from './use-factor.ts'

/** How old the proof of who it is may be for a change of factors (ASVS 7.5.1). */
const FRESH_MS = 10 * 60_000
/** A secret that was shown and not confirmed is good for nothing after so long. */
const ENROLMENT_MS = 15 * 60_000

/** The caller's second factors. */
export async function listFactors(ctx: Context, caller: Caller): Promise<Factors> {
  const { tenant: tenantId, user: userId } = caller.actor
  await decideFor(ctx, caller, 'account.read', self(caller))
  const { rows, recoveryCodes } = await ctx.database.readTenant(tenantId, async (db) => ({
    rows: await db.secondFactor.findMany({
      where: { tenantId, userId, removedAt: null, confirmedAt: { not: null } },
      orderBy: { createdAt: 'asc' },
    }),
    recoveryCodes: await db.recoveryCode.count({ where: { tenantId, userId, usedAt: null, voidedAt: null } }),
  }))
  await ctx.database.auditOnly(tenantId, {
    ...caller.trail,
    action: 'account.read',
    outcome: 'allowed',
    count: rows.length,
  })
  const items = rows.map(({ id, createdAt, lastUsedAt }) => ({
    id,
    kind: 'totp' as const,
    createdAt: createdAt.toISOString(),
    lastUsedAt: lastUsedAt?.toISOString() ?? null,
  }))
  return { items, recoveryCodes }
}

/** Begins with an authenticator app: a secret that opens nothing until `confirmTotp`. One that was begun before is void. @throws Refusal */
export async function enrolTotp(ctx: Context, caller: Caller): Promise<TotpEnrolment> {
  const { tenant: tenantId, user: userId } = caller.actor
  await requireFresh(ctx, caller, 'factor.enrol')
  const secret = newTotpSecret()
  const id = randomUUID()
  await ctx.database.withTenant(tenantId, async (tx) => {
    await takeUser(tx, userId)
    if (await confirmedTotp(tx, userId)) throw new Refusal('conflict', 'conflict')
    await voidTotps(ctx, tx, userId, 'begun')
    await insertTotp(ctx, tx, { id, userId, secret })
    tx.audit({ ...caller.trail, action: 'account.change', outcome: 'allowed', reason: 'own' })
  })
  const { username, tenant } = caller.snapshot.profile
  return { id, secret, uri: totpUri(secret, `${username}@${tenant.slug}`) }
}

/**
 * Puts the app in force by its first code. Everybody else who is signed in as this user, by a password alone, is signed out.
 * @returns recovery codes, in the clear for this once
 * @throws Refusal `invalid` with `why: code-wrong`; `not-found` where nothing was begun
 */
export async function confirmTotp(ctx: Context, caller: Caller, code: string): Promise<string[]> {
  const { tenant: tenantId, user: userId } = caller.actor
  await requireFresh(ctx, caller, 'factor.enrol')
  const since = new Date(ctx.clock.now() - ENROLMENT_MS)
  const pending = await ctx.database.readTenant(tenantId, (db) =>
    db.secondFactor.findFirst({
      where: { tenantId, userId, removedAt: null, confirmedAt: null, createdAt: { gte: since } },
    }),
  )
  if (pending === null) return refuse(ctx, caller, new Refusal('not-found', 'not-found'), 'factor.enrol')
  const secret = await ctx.keyring.open(tenantId, factorPlace(pending.id), pending.sealedSecret)
  const step = totpStep(secret, code, ctx.clock.now())
  if (step === null) {
    const wrong = new Refusal('invalid', 'second-factor', { why: 'code-wrong', fields: ['/code'] })
    return refuse(ctx, caller, wrong, 'factor.enrol')
  }
  const codes = newRecoveryCodes()
  const version = await ctx.database.withTenant(tenantId, async (tx) => {
    await takeUser(tx, userId)
    await putInForce(tx, userId, pending.id, step, codes)
    // This session has shown both: from its next token on it says so.
    await tx.db.session.updateMany({
      where: { tenantId, id: caller.authenticated.claims.sid },
      data: withSecondFactor(['otp', 'mfa']),
    })
    return endOthers(tx, caller, 'factor.enrol')
  })
  ctx.sessions.changed(tenantId, userId, version)
  await ctx.access.settled(tenantId, userId)
  return codes
}

/** Takes a factor away, its recovery codes with it, and shreds its secret; other sessions end. @throws Refusal */
export async function removeFactor(ctx: Context, caller: Caller, id: string): Promise<void> {
  const { tenant: tenantId, user: userId } = caller.actor
  await requireFresh(ctx, caller, 'factor.remove')
  // Who holds the password alone may not take away what stands between it and the account.
  if (caller.actor.acr === 'aal1') {
    return refuse(ctx, caller, new Refusal('step-up-required', 'step-up', { maxAgeMs: FRESH_MS }), 'factor.remove')
  }
  const row = await ctx.database.readTenant(tenantId, (db) =>
    db.secondFactor.findFirst({ where: { tenantId, id, userId, removedAt: null, confirmedAt: { not: null } } }),
  )
  if (row === null) return refuse(ctx, caller, new Refusal('not-found', 'not-found'), 'factor.remove')
  const version = await ctx.database.withTenant(tenantId, async (tx) => {
    await takeUser(tx, userId)
    const removedAt = new Date(tx.at)
    const { count } = await tx.db.secondFactor.updateMany({
      where: { tenantId, id, removedAt: null },
      data: { removedAt },
    })
    if (count === 0) throw new Refusal('not-found', 'not-found')
    await ctx.keyring.destroyDataKey(tx, tenantId, row.dataKeyId)
    await voidRecoveryCodes(tx, userId)
    return endOthers(tx, caller, 'factor.remove')
  })
  ctx.sessions.changed(tenantId, userId, version)
  await ctx.access.settled(tenantId, userId)
}

/** The user's row first: of two changes of one account, one comes wholly before the other. */
async function takeUser({ db, tenantId }: Change, userId: string): Promise<void> {
  await db.user.update({
    where: { tenantId_id: { tenantId, id: userId } },
    data: { version: { increment: 1 } },
    select: { id: true },
  })
}

async function confirmedTotp({ db, tenantId }: Change, userId: string): Promise<boolean> {
  const where = { tenantId, userId, removedAt: null, confirmedAt: { not: null } }
  return (await db.secondFactor.count({ where })) > 0
}

/** What was allowed by the factors of before ends, but for the session at hand. @returns the user's new version */
async function endOthers(
  tx: Change,
  { actor, authenticated, trail }: Caller,
  action: 'factor.enrol' | 'factor.remove',
): Promise<number> {
  const { version, count } = await endSessions(
    tx,
    { user: actor.user, except: authenticated.claims.sid },
    'factor-changed',
  )
  tx.audit({ ...trail, action, outcome: 'allowed', reason: 'own', user: auditId(actor.user), count })
  return version
}

async function requireFresh(ctx: Context, caller: Caller, action: 'factor.enrol' | 'factor.remove'): Promise<void> {
  await decideFor(ctx, caller, 'account.change', self(caller))
  if (ctx.clock.now() - caller.actor.authTime <= FRESH_MS) return
  return refuse(ctx, caller, new Refusal('step-up-required', 'step-up', { maxAgeMs: FRESH_MS }), action)
}

function self({ actor }: Caller) {
  return { kind: 'user', tenant: actor.tenant, id: actor.user } as const
}
