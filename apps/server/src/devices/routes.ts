import { device, deviceQuery, page, uuid } from '@wardline/protocol'
import { z } from 'zod'
import { auditId } from '../audit/event.ts'
import type { Context } from '../context.ts'
import type { App } from '../http/app-type.ts'
import { type Caller, callerOf } from '../http/caller.ts'
import { decideFor } from '../http/decide.ts'
import { noQuery } from '../http/no-query.ts'
import { badCursor, pageWithMore } from '../http/page.ts'
import { findDevices } from './list.ts'
import { revokeDevice, revokeOwnDevice } from './revoke.ts'

const params = z.strictObject({ id: uuid })

/** The keys that people sign in with; for the authenticated scope. */
export function registerDeviceRoutes(api: App, ctx: Context): void {
  api.get(
    '/me/devices',
    { config: { action: 'account.read' }, schema: { querystring: noQuery, response: { 200: page(device) } } },
    (request) => listOwn(ctx, callerOf(request)),
  )
  api.delete(
    '/me/devices/:id',
    { config: { action: 'account.end-session' }, schema: { querystring: noQuery, params } },
    async (request, reply) => {
      await revokeOwnDevice(ctx, callerOf(request), request.params.id)
      return reply.code(204).send()
    },
  )
  api.get(
    '/admin/devices',
    { config: { action: 'session.read' }, schema: { querystring: deviceQuery, response: { 200: page(device) } } },
    (request) => listAll(ctx, callerOf(request), request.query),
  )
  api.delete(
    '/admin/devices/:id',
    { config: { action: 'session.manage' }, schema: { querystring: noQuery, params } },
    async (request, reply) => {
      await revokeDevice(ctx, callerOf(request), request.params.id)
      return reply.code(204).send()
    },
  )
}

async function listOwn(ctx: Context, caller: Caller) {
  const { tenant, user } = caller.actor
  await decideFor(ctx, caller, 'account.read', { kind: 'user', tenant, id: user })
  const { jkt } = caller.authenticated.claims.cnf
  const items = await ctx.database.readTenant(tenant, (db) =>
    findDevices(db, { tenantId: tenant, user, jkt, now: ctx.clock.now() }),
  )
  const count = items.length
  await ctx.database.auditOnly(tenant, { ...caller.trail, action: 'account.read', outcome: 'allowed', count })
  return { items, next: null }
}

async function listAll(ctx: Context, caller: Caller, { user, limit, cursor }: z.infer<typeof deviceQuery>) {
  const { tenant } = caller.actor
  const action = 'session.read'
  const about = user === undefined ? {} : { user: auditId(user) }
  const { reason } = await decideFor(ctx, caller, action, { kind: 'tenant', tenant }, about)
  if (cursor !== undefined && !uuid.safeParse(cursor).success) throw badCursor()
  const { jkt } = caller.authenticated.claims.cnf
  const rows = await ctx.database.readTenant(tenant, (db) =>
    findDevices(db, { tenantId: tenant, user, jkt, now: ctx.clock.now(), take: limit + 1, cursor }),
  )
  const { items, next } = pageWithMore(rows, limit, ({ id }) => id)
  const count = items.length
  await ctx.database.auditOnly(tenant, { ...caller.trail, ...about, action, outcome: 'allowed', reason, count })
  return { items, next }
}
