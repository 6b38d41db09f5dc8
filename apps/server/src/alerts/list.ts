import type { Alert, AlertDetail, alertQuery } from '@wardline/protocol'
import type { z } from 'zod'
import { auditId } from '../audit/event.ts'
import { displayNames, viewOf } from '../audit/view.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor, refuse } from '../http/decide.ts'
import { cursorId, type Page, pageWithMore } from '../http/page.ts'
import { type AlertRow, namesOf, viewOfAlert } from './view.ts'

/** Events that are shown with an alert. */
const MOST_EVENTS = 50

export type AlertQuery = z.infer<typeof alertQuery>

/** The tenant's alerts, those that happened last first. @throws Refusal */
export async function listAlerts(ctx: Context, caller: Caller, query: AlertQuery): Promise<Page<Alert>> {
  const tenantId = caller.actor.tenant
  const action = 'alert.read'
  const { reason } = await decideFor(ctx, caller, action, { kind: 'tenant', tenant: tenantId })
  const { limit, cursor, state, kind } = query
  const after = cursor === undefined ? undefined : cursorId(cursor)
  const { rows, names } = await ctx.database.readTenant(tenantId, async (db) => {
    const rows = await db.alert.findMany({
      where: {
        tenantId,
        ...(state === undefined ? {} : { state: state === 'active' ? { in: ['open', 'acknowledged'] } : state }),
        ...(kind === undefined ? {} : { kind }),
      },
      orderBy: [{ lastAt: 'desc' }, { id: 'asc' }],
      take: limit + 1,
      ...(after === undefined ? {} : { cursor: { tenantId_id: { tenantId, id: after } }, skip: 1 }),
    })
    return { rows, names: await namesOf(db, tenantId, rows) }
  })
  const { items, next } = pageWithMore(rows, limit, ({ id }) => id)
  const count = items.length
  await ctx.database.auditOnly(tenantId, { ...caller.trail, action, outcome: 'allowed', reason, count })
  return { items: items.map((row) => viewOfAlert(row, names)), next }
}

/** One alert with its events. @throws Refusal */
export async function readAlert(ctx: Context, caller: Caller, id: string): Promise<AlertDetail> {
  const { tenant } = caller.actor
  const action = 'alert.read'
  const about = { alert: auditId(id) }
  const { reason } = await decideFor(ctx, caller, action, { kind: 'tenant', tenant }, about)
  const found = await findAlert(ctx, tenant, id)
  if (found === null) return refuse(ctx, caller, new Refusal('not-found', 'not-found'), action, about)
  const rows = await ctx.database.alertEvents(tenant, id, MOST_EVENTS)
  const names = await displayNames(ctx, tenant, rows)
  const events = rows.map((row) => viewOf(row, row.index, names))
  const count = events.length
  await ctx.database.auditOnly(tenant, { ...caller.trail, ...about, action, outcome: 'allowed', reason, count })
  return { ...found, events }
}

/** Null where the tenant has no such alert. */
export async function findAlert(ctx: Pick<Context, 'database'>, tenantId: string, id: string): Promise<Alert | null> {
  return ctx.database.readTenant(tenantId, async (db) => {
    const row: AlertRow | null = await db.alert.findUnique({ where: { tenantId_id: { tenantId, id } } })
    return row === null ? null : viewOfAlert(row, await namesOf(db, tenantId, [row]))
  })
}
