import {
  alert,
  alertDetail,
  alertQuery,
  alertSettings,
  alertWebhook,
  alertWebhookSecret,
  closeAlert as closing,
  page,
  setAlertWebhook,
  uuid,
} from '@wardline/protocol'
import { z } from 'zod'
import type { Context } from '../context.ts'
import type { App } from '../http/app-type.ts'
import { callerOf } from '../http/caller.ts'
import { noQuery } from '../http/no-query.ts'
import { acknowledgeAlert, closeAlert } from './act.ts'
import { listAlerts, readAlert } from './list.ts'
import { changeAlertSettings, readAlertSettings } from './settings.ts'
import { readWebhook, removeWebhook, setWebhook, testWebhook } from './webhook/acts.ts'

const params = z.strictObject({ id: uuid })

/** What the rules have found, what was done about it, and who is told; for the authenticated scope. */
export function registerAlertRoutes(api: App, ctx: Context): void {
  api.get(
    '/admin/alerts',
    { config: { action: 'alert.read' }, schema: { querystring: alertQuery, response: { 200: page(alert) } } },
    (request) => listAlerts(ctx, callerOf(request), request.query),
  )
  api.get(
    '/admin/alerts/:id',
    { config: { action: 'alert.read' }, schema: { querystring: noQuery, params, response: { 200: alertDetail } } },
    (request) => readAlert(ctx, callerOf(request), request.params.id),
  )
  api.post(
    '/admin/alerts/:id/acknowledge',
    { config: { action: 'alert.acknowledge' }, schema: { querystring: noQuery, params, response: { 200: alert } } },
    (request) => acknowledgeAlert(ctx, callerOf(request), request.params.id),
  )
  api.post(
    '/admin/alerts/:id/close',
    {
      config: { action: 'alert.close' },
      schema: { querystring: noQuery, params, body: closing, response: { 200: alert } },
    },
    (request) => closeAlert(ctx, callerOf(request), request.params.id, request.body.resolution),
  )
  registerAlertSettings(api, ctx)
  registerWebhook(api, ctx)
}

function registerAlertSettings(api: App, ctx: Context): void {
  api.get(
    '/admin/alert-settings',
    { config: { action: 'settings.read' }, schema: { querystring: noQuery, response: { 200: alertSettings } } },
    (request) => readAlertSettings(ctx, callerOf(request)),
  )
  api.put(
    '/admin/alert-settings',
    {
      config: { action: 'settings.manage' },
      schema: { querystring: noQuery, body: alertSettings, response: { 200: alertSettings } },
    },
    (request) => changeAlertSettings(ctx, callerOf(request), request.body),
  )
}

function registerWebhook(api: App, ctx: Context): void {
  api.get(
    '/admin/alert-webhook',
    { config: { action: 'integration.read' }, schema: { querystring: noQuery, response: { 200: alertWebhook } } },
    (request) => readWebhook(ctx, callerOf(request)),
  )
  api.put(
    '/admin/alert-webhook',
    {
      config: { action: 'webhook.change' },
      schema: { querystring: noQuery, body: setAlertWebhook, response: { 200: alertWebhookSecret } },
    },
    (request) => setWebhook(ctx, callerOf(request), request.body),
  )
  api.delete(
    '/admin/alert-webhook',
    { config: { action: 'webhook.change' }, schema: { querystring: noQuery } },
    async (request, reply) => {
      await removeWebhook(ctx, callerOf(request))
      return reply.code(204).send()
    },
  )
  api.post(
    '/admin/alert-webhook/test',
    { config: { action: 'webhook.test' }, schema: { querystring: noQuery, response: { 200: alertWebhook } } },
    (request) => testWebhook(ctx, callerOf(request)),
  )
}
