import type { auditExportQuery } from '@wardline/protocol'
import type { z } from 'zod'
import type { Context } from '../context.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor } from '../http/decide.ts'
import { type AuditRow, MAX_AUDIT_PAGE } from '../storage/audit-log.ts'
import { EXPORT_FORMATS, type ExportFormat } from './export-formats.ts'
import { aboutOf, viewsOf } from './list.ts'
import { lookThrough } from './rows.ts'

export type AuditExport = { readonly format: ExportFormat; readonly lines: AsyncGenerator<string> }

/**
 * All of the tenant's events that match, as lines to be streamed. That it begins is in the audit before the first line leaves, and how
 * many left when it ends, also where it was broken off. @throws Refusal
 */
export async function exportAudit(
  ctx: Context,
  caller: Caller,
  { format, ...query }: z.infer<typeof auditExportQuery>,
): Promise<AuditExport> {
  const { tenant } = caller.actor
  const action = 'audit.export'
  const about = aboutOf(query)
  const { reason } = await decideFor(ctx, caller, action, { kind: 'audit', tenant }, about)
  const fact = { ...caller.trail, ...about, action, reason } as const
  await ctx.database.auditOnly(tenant, { ...fact, outcome: 'allowed' })

  const host = new URL(ctx.site.origin).hostname

  async function* lines(): AsyncGenerator<string> {
    let count = 0
    let isWhole = false
    try {
      yield EXPORT_FORMATS[format].head
      for await (const rows of chunks(lookThrough(ctx.database, tenant, query, MAX_AUDIT_PAGE))) {
        const views = await viewsOf(ctx, tenant, rows)
        count += views.length
        yield views.map((view) => EXPORT_FORMATS[format].line(view, host)).join('')
      }
      isWhole = true
    } finally {
      await ctx.database.auditOnly(tenant, { ...fact, outcome: isWhole ? 'allowed' : 'failed', count })
    }
  }
  return { format: EXPORT_FORMATS[format], lines: lines() }
}

/** What fits, so many at a time. */
async function* chunks(looked: ReturnType<typeof lookThrough>): AsyncGenerator<AuditRow[]> {
  let rows: AuditRow[] = []
  for await (const { row, fits } of looked) {
    if (fits) rows.push(row)
    if (rows.length < MAX_AUDIT_PAGE) continue
    yield rows
    rows = []
  }
  if (rows.length > 0) yield rows
}
