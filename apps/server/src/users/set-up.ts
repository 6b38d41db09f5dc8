import type { setUpAnswer, setUpRequest } from '@wardline/protocol'
import type { z } from 'zod'
import { type AuditFact, auditId } from '../audit/event.ts'
import type { Context } from '../context.ts'
import { Refusal, toRefusal } from '../errors.ts'
import { takeUser } from '../factors/factor-change.ts'
import { takeFactors } from '../factors/reset.ts'
import { endSessions } from '../sessions/end.ts'
import type { Where } from '../sessions/grant.ts'
import { type RefreshToken, readRefreshToken } from '../sessions/refresh-token.ts'
import { NIL_UUID } from '../storage/errors.ts'
import type { Change } from '../storage/transaction.ts'
import { whyRefused } from './new-password.ts'
import { voidSetUpCode } from './set-up-code.ts'

const action = 'password.set-up'

type Found = {
  readonly tenant: { readonly id: string; readonly slug: string }
  /** Null: nobody has made this code, it was used, a newer one was made, or it is too late. */
  readonly user: { readonly id: string; readonly username: string } | null
  readonly isDisabled: boolean
}

/**
 * Sets the password of an account by a code that an administrator has made for it. Whoever is signed in there is signed out; nobody
 * is signed in: what else the account asks for, it asks of whoever has the code as well. A code that is unknown, used, replaced or too
 * old, and one of a disabled account, are answered alike after the same work; which of them it was is in the audit.
 * @throws Refusal `unauthenticated`; `invalid` with `why` where the password is too common, and the code still serves
 */
export async function setUp(
  ctx: Context,
  { code, password }: z.infer<typeof setUpRequest>,
  where: Where,
): Promise<z.infer<typeof setUpAnswer>> {
  const seen: { tenant: string | null; trail: Partial<AuditFact> } = { tenant: null, trail: where }
  try {
    const given = readRefreshToken(code) ?? { tenant: NIL_UUID, digest: new Uint8Array(32) }
    const found = await find(ctx, given)
    seen.tenant = found?.tenant.id ?? null
    if (found?.user) seen.trail = { ...where, user: auditId(found.user.id) }
    const passwordHash = await ctx.passwords.hash(password, 'anybody')
    if (!found?.user) throw new Refusal('unauthenticated', 'set-up-code')
    if (found.isDisabled) throw new Refusal('unauthenticated', 'user-disabled')
    const { tenant, user } = found
    const why = whyRefused(password, { username: user.username, tenant: tenant.slug })
    if (why !== null) throw new Refusal('invalid', 'weak-password', { why, fields: ['/password'] })
    const version = await ctx.database.withTenant(tenant.id, (tx) =>
      useCode(ctx, tx, { user: user.id, digest: given.digest, passwordHash, trail: seen.trail }),
    )
    ctx.sessions.changed(tenant.id, user.id, version)
    await ctx.access.settled(tenant.id, user.id)
    return { tenant: tenant.slug, username: user.username }
  } catch (error) {
    const refusal = toRefusal(error)
    const isOurs = !['unauthenticated', 'invalid'].includes(refusal.code)
    const outcome = isOurs ? 'failed' : 'refused'
    await ctx.database.auditOnly(seen.tenant, { ...seen.trail, action, outcome, reason: refusal.reason })
    refusal.audited = true
    throw refusal
  }
}

type Use = {
  readonly user: string
  readonly digest: Uint8Array<ArrayBuffer>
  readonly passwordHash: string
  readonly trail: Partial<AuditFact>
}

/** @returns the user's new version @throws Refusal where another use of it, a newer code or a disablement came before */
async function useCode(ctx: Context, tx: Change, { user, digest, passwordHash, trail }: Use): Promise<number> {
  const { db, tenantId, at } = tx
  await takeUser(tx, user)
  const code = await db.setUpCode.findFirst({
    where: { tenantId, userId: user, digest, expiresAt: { gt: new Date(at) } },
    select: { resetFactors: true },
  })
  const { count } = await db.user.updateMany({
    where: { tenantId, id: user, disabledAt: null },
    data: { passwordHash },
  })
  if (code === null || count === 0) throw new Refusal('unauthenticated', 'set-up-code')
  await voidSetUpCode(tx, user)
  const done = { ...trail, outcome: 'allowed', reason: 'administrator', user: auditId(user) } as const
  if (code.resetFactors) tx.audit({ ...done, action: 'factor.reset', count: await takeFactors(ctx, tx, user) })
  const ended = await endSessions(tx, { user }, 'password-changed')
  tx.audit({ ...done, action, count: ended.count })
  return ended.version
}

/** One after the other, and asked of no code, user and tenant as well, so that unknown ones take as long. */
async function find(ctx: Context, { tenant: tenantId, digest }: RefreshToken): Promise<Found | null> {
  return ctx.database.readTenant(tenantId, async (db) => {
    const code = await db.setUpCode.findUnique({
      where: { tenantId_digest: { tenantId, digest } },
      select: { userId: true, expiresAt: true },
    })
    const user = await db.user.findUnique({
      where: { tenantId_id: { tenantId, id: code?.userId ?? NIL_UUID } },
      select: { id: true, username: true, disabledAt: true },
    })
    const tenant = await db.tenant.findUnique({
      where: { id: tenantId },
      select: { id: true, slug: true, disabledAt: true },
    })
    if (tenant === null) return null
    const isGood = code !== null && code.expiresAt.getTime() > ctx.clock.now()
    return {
      tenant,
      user: isGood ? user : null,
      isDisabled: tenant.disabledAt !== null || (user !== null && user.disabledAt !== null),
    }
  })
}
