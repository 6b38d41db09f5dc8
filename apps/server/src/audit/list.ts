import type { AuditEventView, auditQuery } from '@wardline/protocol'
import type { z } from 'zod'
import type { Context } from '../context.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor } from '../http/decide.ts'
import type { Page } from '../http/page.ts'
import { type AuditRow, MAX_AUDIT_PAGE } from '../storage/audit-log.ts'
import { auditId } from './event.ts'
import { cursorOf, lookThrough, type RowsQuery } from './rows.ts'
import { displayNames, viewOf } from './view.ts'

export type AuditQuery = z.infer<typeof auditQuery>

/** Rows looked at for one request: what is not indexed yet and fits nothing must not hold up the answer. */
const MAX_ROWS = 5_000

/**
 * The tenant's audit events, newest first, that fit the filter. So many are looked at for one page: it may be short, or empty, and
 * `next` goes on from there. Looking at the audit is in the audit. @throws Refusal
 */
export async function listAudit(ctx: Context, caller: Caller, query: AuditQuery): Promise<Page<AuditEventView>> {
  const { tenant } = caller.actor
  const action = 'audit.read'
  const about = aboutOf(query)
  const { reason } = await decideFor(ctx, caller, action, { kind: 'audit', tenant }, about)
  const { rows, next } = await findRows(ctx, tenant, query)
  const items = await viewsOf(ctx, tenant, rows)
  const count = rows.length
  await ctx.database.auditOnly(tenant, { ...caller.trail, ...about, action, outcome: 'allowed', reason, count })
  return { items, next }
}

/** Whose doings, and about which patient: that one looked for them is in the audit too. */
export function aboutOf({ patient, actor }: Pick<RowsQuery, 'patient' | 'actor'>) {
  return {
    ...(patient === undefined ? {} : { patient: auditId(patient) }),
    ...(actor === undefined ? {} : { user: auditId(actor) }),
  }
}

/** Rows as they are shown, with names and places. */
export async function viewsOf(
  ctx: Pick<Context, 'database'>,
  tenant: string,
  rows: readonly AuditRow[],
): Promise<AuditEventView[]> {
  const [names, places] = await Promise.all([displayNames(ctx, tenant, rows), ctx.database.auditPlaces(tenant, rows)])
  return rows.map((row, i) => viewOf(row, places[i] ?? null, names))
}

async function findRows(
  { database }: Context,
  tenant: string,
  query: AuditQuery,
): Promise<{ rows: AuditRow[]; next: string | null }> {
  const rows: AuditRow[] = []
  let looked = 0
  let last: AuditRow | undefined
  for await (const { row, fits } of lookThrough(database, tenant, query, Math.min(query.limit + 1, MAX_AUDIT_PAGE))) {
    if (last !== undefined && (rows.length === query.limit || looked === MAX_ROWS))
      return { rows, next: cursorOf(last) }
    last = row
    looked += 1
    if (fits) rows.push(row)
  }
  return { rows, next: null }
}
