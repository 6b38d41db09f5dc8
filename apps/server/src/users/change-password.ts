import type { changePassword as changePasswordSchema } from '@wardline/protocol'
import type { z } from 'zod'
import { auditId } from '../audit/event.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor, refuse } from '../http/decide.ts'
import { endSessions } from '../sessions/end.ts'
import { answerTo, demand, RENEWAL_MS } from '../sessions/risk.ts'
import { whyRefused } from './new-password.ts'
import { voidSetUpCode } from './set-up-code.ts'

/**
 * Sets the caller's own password. Whoever else is signed in with the old one is signed out in the same transaction.
 * @throws Refusal `invalid` with `why`: the old one is wrong, or the new one is too common
 */
export async function changePassword(
  ctx: Context,
  caller: Caller,
  { password, newPassword }: z.infer<typeof changePasswordSchema>,
): Promise<void> {
  const { tenant, user } = caller.actor
  await decideFor(ctx, caller, 'account.change', { kind: 'user', tenant, id: user })
  const where = { tenantId_id: { tenantId: tenant, id: user } }
  const row = await ctx.database.readTenant(tenant, (db) =>
    db.user.findUnique({ where, select: { passwordHash: true } }),
  )
  const held = row?.passwordHash ?? null
  const { matches } = await ctx.passwords.verify(held, password, 'known')
  if (!matches) return refuse(ctx, caller, wrong('password', 'password-wrong', '/password'), 'password.change')
  const { username, tenant: organisation } = caller.snapshot.profile
  const why =
    newPassword === password ? 'password-same' : whyRefused(newPassword, { username, tenant: organisation.slug })
  if (why !== null) return refuse(ctx, caller, wrong('weak-password', why, '/newPassword'), 'password.change')

  const passwordHash = await ctx.passwords.hash(newPassword)
  const { version } = await ctx.database.withTenant(tenant, async (tx) => {
    // Only while the old one still holds: of two changes at once, one comes first and the other is refused.
    const { count } = await tx.db.user.updateMany({
      where: { tenantId: tenant, id: user, passwordHash: held },
      data: { passwordHash },
    })
    if (count === 0) throw new Refusal('conflict', 'conflict')
    // Whoever remembers after all leaves no second way in behind.
    await voidSetUpCode(tx, user)
    const except = caller.authenticated.claims.sid
    const ended = await endSessions(tx, { user, except }, 'password-changed')
    tx.audit({
      ...caller.trail,
      action: 'password.change',
      outcome: 'allowed',
      reason: 'own',
      user: auditId(user),
      count: ended.count,
    })
    await demand(
      tx,
      { user, only: except },
      {
        reason: 'password-change',
        answer: answerTo('password-change', caller.snapshot.settings),
        trail: caller.trail,
        withinMs: RENEWAL_MS,
      },
    )
    return ended
  })
  ctx.sessions.changed(tenant, user, version)
  await ctx.access.settled(tenant, user)
}

function wrong(reason: 'password' | 'weak-password', why: NonNullable<Refusal['why']>, field: string): Refusal {
  return new Refusal('invalid', reason, { why, fields: [field] })
}
