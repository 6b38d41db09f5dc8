import type { Alert, AlertResolution } from '@wardline/protocol'
import { auditId } from '../audit/event.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor, refuse } from '../http/decide.ts'
import { findAlert } from './list.ts'
import { namesOf, viewOfAlert } from './view.ts'

/** Somebody looks after it. Of several who say so at once, one was first; the others are told who. @throws Refusal */
export async function acknowledgeAlert(ctx: Context, caller: Caller, id: string): Promise<Alert> {
  await requireAlert(ctx, caller, id)
  return change(ctx, caller, id, 'alert.acknowledge', {
    from: ['open'],
    data: (at) => ({ state: 'acknowledged', acknowledgedBy: caller.actor.user, acknowledgedAt: at }),
  })
}

/** It is dealt with, and how. Should it go on, it is open again. @throws Refusal */
export async function closeAlert(
  ctx: Context,
  caller: Caller,
  id: string,
  resolution: AlertResolution,
): Promise<Alert> {
  await requireAlert(ctx, caller, id)
  return change(ctx, caller, id, 'alert.close', {
    from: ['open', 'acknowledged'],
    resolution,
    data: (at) => ({ state: 'closed', closedBy: caller.actor.user, closedAt: at, resolution }),
  })
}

async function requireAlert(ctx: Context, caller: Caller, id: string): Promise<void> {
  const { tenant } = caller.actor
  const about = { alert: auditId(id) }
  await decideFor(ctx, caller, 'alert.manage', { kind: 'tenant', tenant }, about)
  if ((await findAlert(ctx, tenant, id)) === null) {
    await refuse(ctx, caller, new Refusal('not-found', 'not-found'), 'alert.manage', about)
  }
}

type Move = {
  readonly from: string[]
  readonly resolution?: AlertResolution
  readonly data: (at: Date) => Record<string, string | Date>
}

async function change(
  ctx: Context,
  caller: Caller,
  id: string,
  action: 'alert.acknowledge' | 'alert.close',
  { from, resolution, data }: Move,
): Promise<Alert> {
  return ctx.database.withTenant(caller.actor.tenant, async (tx) => {
    const { db, tenantId } = tx
    const at = new Date(tx.at)
    const { count } = await db.alert.updateMany({
      where: { tenantId, id, state: { in: from } },
      data: { ...data(at), changedAt: at },
    })
    const reason = resolution === undefined ? {} : { reason: resolution }
    // It was so already: that it was asked again is written down as such.
    const outcome = count === 0 ? 'repeated' : 'allowed'
    tx.audit({ ...caller.trail, action, outcome, ...reason, alert: auditId(id) })
    const row = await db.alert.findUniqueOrThrow({ where: { tenantId_id: { tenantId, id } } })
    return viewOfAlert(row, await namesOf(db, tenantId, [row]))
  })
}
