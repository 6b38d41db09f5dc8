import { page, secretId, sessionQuery, sessionSummary } from '@wardline/protocol'
import { z } from 'zod'
import type { Context } from '../context.ts'
import type { App } from '../http/app-type.ts'
import { callerOf } from '../http/caller.ts'
import { noQuery } from '../http/no-query.ts'
import { endAnySession, listAllSessions } from './admin.ts'

/** Who is signed in; for the authenticated scope. */
export function registerSessionAdminRoutes(api: App, ctx: Context): void {
  api.get(
    '/admin/sessions',
    {
      config: { action: 'session.read' },
      schema: { querystring: sessionQuery, response: { 200: page(sessionSummary) } },
    },
    (request) => listAllSessions(ctx, callerOf(request), request.query),
  )
  api.delete(
    '/admin/sessions/:id',
    {
      config: { action: 'session.manage' },
      schema: { querystring: noQuery, params: z.strictObject({ id: secretId }) },
    },
    async (request, reply) => {
      await endAnySession(ctx, callerOf(request), request.params.id)
      return reply.code(204).send()
    },
  )
}
