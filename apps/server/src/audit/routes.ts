import { Readable } from 'node:stream'
import { auditCheckpoint, auditEventView, auditExportQuery, auditProof, auditQuery, page } from '@wardline/protocol'
import { z } from 'zod'
import type { Context } from '../context.ts'
import type { App } from '../http/app-type.ts'
import { callerOf } from '../http/caller.ts'
import { noQuery } from '../http/no-query.ts'
import { exportAudit } from './export.ts'
import { listAudit } from './list.ts'
import { logStore } from './log-store.ts'
import { proveAuditEvent, readAuditCheckpoint } from './proof.ts'

const eventParams = z.strictObject({
  index: z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number),
})

/** What happened, and the proof of it; for the authenticated scope. */
export function registerAuditRoutes(api: App, ctx: Context): void {
  const tiles = logStore(ctx.config)
  api.get(
    '/admin/audit/events',
    {
      config: { action: 'audit.read' },
      schema: { querystring: auditQuery, response: { 200: page(auditEventView) } },
    },
    (request) => listAudit(ctx, callerOf(request), request.query),
  )
  api.get(
    '/admin/audit/checkpoint',
    { config: { action: 'audit.read' }, schema: { querystring: noQuery, response: { 200: auditCheckpoint } } },
    (request) => readAuditCheckpoint(ctx, callerOf(request), tiles),
  )
  api.get(
    '/admin/audit/events/:index/proof',
    {
      config: { action: 'audit.read' },
      schema: { querystring: noQuery, params: eventParams, response: { 200: auditProof } },
    },
    (request) => proveAuditEvent(ctx, callerOf(request), tiles, request.params.index),
  )
  api.get(
    '/admin/audit/export',
    { config: { action: 'audit.export' }, schema: { querystring: auditExportQuery } },
    async (request, reply) => {
      const { format, lines } = await exportAudit(ctx, callerOf(request), request.query)
      return reply
        .header('content-type', format.contentType)
        .header('content-disposition', `attachment; filename="${format.fileName}"`)
        .send(Readable.from(lines))
    },
  )
}
