import { changeService, createService, page, serviceAccount, uuid } from '@wardline/protocol'
import { z } from 'zod'
import type { Context } from '../context.ts'
import type { App } from '../http/app-type.ts'
import { type Caller, callerOf } from '../http/caller.ts'
import { decideFor } from '../http/decide.ts'
import { noQuery } from '../http/no-query.ts'
import { addService, changeServiceAccount, findServices } from './accounts.ts'

/** The accounts of programs; for the authenticated scope. */
export function registerServiceRoutes(api: App, ctx: Context): void {
  api.get(
    '/admin/services',
    {
      config: { action: 'integration.read' },
      schema: { querystring: noQuery, response: { 200: page(serviceAccount) } },
    },
    (request) => listServices(ctx, callerOf(request)),
  )
  api.post(
    '/admin/services',
    {
      config: { action: 'integration.manage' },
      schema: { querystring: noQuery, body: createService, response: { 201: serviceAccount } },
    },
    async (request, reply) => reply.code(201).send(await addService(ctx, callerOf(request), request.body)),
  )
  api.patch(
    '/admin/services/:id',
    {
      config: { action: 'integration.manage' },
      schema: {
        querystring: noQuery,
        params: z.strictObject({ id: uuid }),
        body: changeService,
        response: { 200: serviceAccount },
      },
    },
    (request) => changeServiceAccount(ctx, callerOf(request), request.params.id, request.body),
  )
}

async function listServices(ctx: Context, caller: Caller) {
  const { tenant } = caller.actor
  const action = 'integration.read'
  const { reason } = await decideFor(ctx, caller, action, { kind: 'tenant', tenant })
  const profile = caller.snapshot.profile.tenant
  const items = await ctx.database.readTenant(tenant, (db) => findServices(db, profile))
  const count = items.length
  await ctx.database.auditOnly(tenant, { ...caller.trail, action, outcome: 'allowed', reason, count })
  return { items, next: null }
}
