import { changeTenantSettings, tenantSettings } from '@wardline/protocol'
import type { Context } from '../context.ts'
import type { App } from '../http/app-type.ts'
import { callerOf } from '../http/caller.ts'
import { noQuery } from '../http/no-query.ts'
import { changeSettings, showSettings } from './change-settings.ts'

/** What an organisation decides about its sign-ins; for the authenticated scope. */
export function registerSettingsRoutes(api: App, ctx: Context): void {
  api.get(
    '/admin/settings',
    {
      config: { action: 'settings.read' },
      schema: { querystring: noQuery, response: { 200: tenantSettings } },
    },
    (request) => showSettings(ctx, callerOf(request)),
  )
  api.patch(
    '/admin/settings',
    {
      config: { action: 'settings.manage' },
      schema: { querystring: noQuery, body: changeTenantSettings, response: { 200: tenantSettings } },
    },
    (request) => changeSettings(ctx, callerOf(request), request.body),
  )
}
