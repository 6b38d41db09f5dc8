import { randomUUID } from 'node:crypto'
import { type AuditFilter, type keepAuditFilter, keptFilter } from '@wardline/protocol'
import type { z } from 'zod'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor, refuse } from '../http/decide.ts'

/** Filters that one person keeps, at most. */
const MAX_FILTERS = 50

type Row = { readonly id: string; readonly filter: unknown; readonly days: number | null; readonly createdAt: Date }

/** My own filters, the oldest first. @throws Refusal */
export async function listFilters(ctx: Context, caller: Caller): Promise<{ items: AuditFilter[] }> {
  const { tenant: tenantId, user: userId } = caller.actor
  const action = 'audit.read'
  const { reason } = await decideFor(ctx, caller, action, { kind: 'audit', tenant: tenantId })
  const rows = await ctx.database.readTenant(tenantId, (db) =>
    db.auditFilter.findMany({ where: { tenantId, userId }, orderBy: [{ createdAt: 'asc' }, { id: 'asc' }] }),
  )
  await ctx.database.auditOnly(tenantId, { ...caller.trail, action, outcome: 'allowed', reason, count: rows.length })
  return { items: rows.map(filterOf) }
}

/** Keeps a filter for oneself. @throws Refusal `rate-limited` when one keeps too many */
export async function keepFilter(
  ctx: Context,
  caller: Caller,
  { filter, days }: z.infer<typeof keepAuditFilter>,
): Promise<AuditFilter> {
  const { tenant: tenantId, user: userId } = caller.actor
  const { reason } = await decideFor(ctx, caller, 'audit.read', { kind: 'audit', tenant: tenantId })
  const action = 'audit.filter-save'
  return ctx.database.withTenant(tenantId, async (tx) => {
    if ((await tx.db.auditFilter.count({ where: { tenantId, userId } })) >= MAX_FILTERS) {
      return refuse(ctx, caller, new Refusal('rate-limited', 'rate'), action)
    }
    const id = randomUUID()
    const row = await tx.db.auditFilter.create({
      data: { tenantId, id, userId, filter, days, createdAt: new Date(tx.at) },
    })
    tx.audit({ ...caller.trail, action, outcome: 'allowed', reason })
    return filterOf(row)
  })
}

/** Lets go of one of my filters; another's is not there. @throws Refusal */
export async function removeFilter(ctx: Context, caller: Caller, id: string): Promise<void> {
  const { tenant: tenantId, user: userId } = caller.actor
  const { reason } = await decideFor(ctx, caller, 'audit.read', { kind: 'audit', tenant: tenantId })
  const action = 'audit.filter-remove'
  await ctx.database.withTenant(tenantId, async (tx) => {
    const { count } = await tx.db.auditFilter.deleteMany({ where: { tenantId, id, userId } })
    if (count === 0) return refuse(ctx, caller, new Refusal('not-found', 'not-found'), action)
    tx.audit({ ...caller.trail, action, outcome: 'allowed', reason })
  })
}

function filterOf({ id, filter, days, createdAt }: Row): AuditFilter {
  return { id, filter: keptFilter.parse(filter), days, createdAt: createdAt.toISOString() }
}
