import {
  demandRenewal as demandRenewalSchema,
  page,
  revokeToken,
  secretId,
  sessionQuery,
  sessionSummary,
  sessionsEnded,
  uuid,
} from '@wardline/protocol'
import { z } from 'zod'
import type { Context } from '../context.ts'
import type { App } from '../http/app-type.ts'
import { callerOf } from '../http/caller.ts'
import { noQuery } from '../http/no-query.ts'
import { endAnySession, listAllSessions } from './admin.ts'
import { demandRenewal } from './demand-renewal.ts'
import { endSessionsOfTenant, endSessionsOfUser, revokeTokenOf } from './revoke-many.ts'

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
  api.post(
    '/admin/sessions/:id/renew',
    {
      config: { action: 'session.manage' },
      schema: { querystring: noQuery, params: z.strictObject({ id: secretId }), body: demandRenewalSchema },
    },
    async (request, reply) => {
      await demandRenewal(ctx, callerOf(request), request.params.id, request.body)
      return reply.code(204).send()
    },
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
  api.delete(
    '/admin/sessions',
    { config: { action: 'session.manage' }, schema: { querystring: noQuery, response: { 200: sessionsEnded } } },
    async (request) => ({ ended: await endSessionsOfTenant(ctx, callerOf(request)) }),
  )
  api.delete(
    '/admin/users/:id/sessions',
    {
      config: { action: 'session.manage' },
      schema: { querystring: noQuery, params: z.strictObject({ id: uuid }), response: { 200: sessionsEnded } },
    },
    async (request) => ({ ended: await endSessionsOfUser(ctx, callerOf(request), request.params.id) }),
  )
  api.post(
    '/admin/tokens/revoke',
    { config: { action: 'session.manage' }, schema: { querystring: noQuery, body: revokeToken } },
    async (request, reply) => {
      const { user, jti } = request.body
      await revokeTokenOf(ctx, callerOf(request), user, jti)
      return reply.code(204).send()
    },
  )
}
