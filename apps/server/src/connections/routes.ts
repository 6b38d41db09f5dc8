import { connection, connectionQuery, page } from '@wardline/protocol'
import type { Context } from '../context.ts'
import type { App } from '../http/app-type.ts'
import { callerOf } from '../http/caller.ts'
import { listConnections } from './list.ts'

/** Which sockets are open; for the authenticated scope. To end one, its session is ended: it would be opened again otherwise. */
export function registerConnectionRoutes(api: App, ctx: Context): void {
  api.get(
    '/admin/connections',
    {
      config: { action: 'connection.read' },
      schema: { querystring: connectionQuery, response: { 200: page(connection) } },
    },
    (request) => listConnections(ctx, callerOf(request), request.query),
  )
}
