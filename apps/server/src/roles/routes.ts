import { changeRole as changes, page, pageQuery, type Role, role, roleName } from '@wardline/protocol'
import { z } from 'zod'
import type { Context } from '../context.ts'
import type { App } from '../http/app-type.ts'
import { type Caller, callerOf } from '../http/caller.ts'
import { decideFor } from '../http/decide.ts'
import { noQuery } from '../http/no-query.ts'
import { type Page, type PageRequest, pageOf } from '../http/page.ts'
import { changeRole } from './change.ts'
import { shownRole } from './shown.ts'

/** What each role may do, and what it asks of who holds it; for the authenticated scope. */
export function registerRoleRoutes(api: App, ctx: Context): void {
  api.get(
    '/admin/roles',
    { config: { action: 'role.read' }, schema: { querystring: pageQuery, response: { 200: page(role) } } },
    (request) => listRoles(ctx, callerOf(request), request.query),
  )
  api.patch(
    '/admin/roles/:name',
    {
      config: { action: 'role.update' },
      schema: {
        querystring: noQuery,
        params: z.strictObject({ name: roleName }),
        body: changes,
        response: { 200: role },
      },
    },
    (request) => changeRole(ctx, callerOf(request), request.params.name, request.body.requireSecondFactor),
  )
}

/** The tenant's roles by name, each with its permissions by name. */
async function listRoles(ctx: Context, caller: Caller, request: PageRequest): Promise<Page<Role>> {
  const tenantId = caller.actor.tenant
  const { reason } = await decideFor(ctx, caller, 'role.read', { kind: 'tenant', tenant: tenantId })
  const rows = await ctx.database.readTenant(tenantId, (db) =>
    db.role.findMany({ where: { tenantId }, orderBy: { name: 'asc' }, include: { permissions: true } }),
  )
  const { items, next } = pageOf(rows, request)
  const count = items.length
  await ctx.database.auditOnly(tenantId, { ...caller.trail, action: 'role.read', outcome: 'allowed', reason, count })
  return {
    items: items.map(shownRole),
    next,
  }
}
