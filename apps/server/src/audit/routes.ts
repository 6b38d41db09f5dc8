import { auditEventView, auditQuery, page } from '@wardline/protocol'
import type { Context } from '../context.ts'
import type { App } from '../http/app-type.ts'
import { callerOf } from '../http/caller.ts'
import { listAudit } from './list.ts'

/** What happened; for the authenticated scope. */
export function registerAuditRoutes(api: App, ctx: Context): void {
  api.get(
    '/admin/audit/events',
    {
      config: { action: 'audit.read' },
      schema: { querystring: auditQuery, response: { 200: page(auditEventView) } },
    },
    (request) => listAudit(ctx, callerOf(request), request.query),
  )
}
