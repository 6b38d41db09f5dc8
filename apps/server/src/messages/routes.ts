import { historyPage, historyQuery, uuid } from '@wardline/protocol'
import { z } from 'zod'
import type { Context } from '../context.ts'
import type { App } from '../http/app-type.ts'
import { callerOf } from '../http/caller.ts'
import { readHistory } from './history.ts'

/** The past of a conversation; for the authenticated scope. What is new comes over the socket. */
export function registerMessageRoutes(api: App, ctx: Context): void {
  api.get(
    '/channels/:id/messages',
    {
      config: { action: 'channel.read' },
      schema: { params: z.strictObject({ id: uuid }), querystring: historyQuery, response: { 200: historyPage } },
    },
    (request) => readHistory(ctx, callerOf(request), request.params.id, request.query),
  )
}
