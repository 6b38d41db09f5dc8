import type { demandRenewal as demandRenewalSchema } from '@wardline/protocol'
import type { z } from 'zod'
import { auditId, auditSecretId } from '../audit/event.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor, refuse } from '../http/decide.ts'
import { demand, RENEWAL_MS } from './risk.ts'

/**
 * An administrator wants somebody to show themselves anew: by a new token, which their browser fetches by itself, or by
 * proving who they are before anything else. @throws Refusal
 */
export async function demandRenewal(
  ctx: Context,
  caller: Caller,
  id: string,
  { demand: answer }: z.infer<typeof demandRenewalSchema>,
): Promise<void> {
  const { tenant } = caller.actor
  const action = 'session.manage'
  const subject = { subject: auditSecretId(id) }
  const where = { tenantId_id: { tenantId: tenant, id } }
  const row = await ctx.database.readTenant(tenant, (db) => db.session.findUnique({ where }))
  if (row === null) return refuse(ctx, caller, new Refusal('not-found', 'not-found'), action, subject)
  const { userId: user } = row
  const about = { ...subject, user: auditId(user) }
  await decideFor(ctx, caller, action, { kind: 'session', tenant, owner: user }, about)
  const version = await ctx.database.withTenant(tenant, async (tx) => {
    const { version } = await tx.db.user.update({
      where: { tenantId_id: { tenantId: tenant, id: user } },
      data: { version: { increment: 1 } },
      select: { version: true },
    })
    const trail = { ...caller.trail, ...about }
    const how = { reason: 'administrator', answer, trail, withinMs: RENEWAL_MS } as const
    const asked = await demand(tx, { user, only: id }, how)
    // It has ended: that this was asked is written down all the same.
    if (asked.length === 0)
      tx.audit({ ...trail, action: 'session.demand', outcome: 'repeated', reason: 'session-ended' })
    return version
  })
  ctx.sessions.changed(tenant, user, version)
  await ctx.access.settled(tenant, user)
}
