import {
  type AlertKind,
  type AlertResolution,
  type AlertSettings,
  type AlertState,
  alert,
  alertDetail,
  alertSettings,
  alertWebhook,
  alertWebhookSecret,
  page,
} from '@wardline/protocol'
import type { Call } from './http.ts'

/** `active`: open or acknowledged. */
export type AlertQuery = { limit?: number; cursor?: string; state?: AlertState | 'active'; kind?: AlertKind }

const alerts = page(alert)

/** What the rules found in the audit, what is done about it, and who is told. Each throws WardlineError. */
export function alertsApi(call: <T>(call: Call<T>) => Promise<T>) {
  const post = (path: string, body?: unknown) => call({ method: 'POST', path, body, answer: alert })
  return {
    alerts: (query: AlertQuery = {}) => call({ method: 'GET', path: '/admin/alerts', query, answer: alerts }),
    /** With its events, newest first. */
    alert: (id: string) => call({ method: 'GET', path: at(id), answer: alertDetail }),
    acknowledgeAlert: (id: string) => post(`${at(id)}/acknowledge`),
    closeAlert: (id: string, resolution: AlertResolution) => post(`${at(id)}/close`, { resolution }),
    alertWebhook: () => call({ method: 'GET', path: '/admin/alert-webhook', answer: alertWebhook }),
    /** The secret of the signatures is answered here and nowhere else. Asks for a step-up where the last proof is old. */
    setAlertWebhook: (url: string) =>
      call({ method: 'PUT', path: '/admin/alert-webhook', body: { url }, answer: alertWebhookSecret }),
    removeAlertWebhook: () => call<void>({ method: 'DELETE', path: '/admin/alert-webhook', answer: null }),
    testAlertWebhook: () => call({ method: 'POST', path: '/admin/alert-webhook/test', answer: alertWebhook }),
    alertSettings: () => call({ method: 'GET', path: '/admin/alert-settings', answer: alertSettings }),
    changeAlertSettings: (body: AlertSettings) =>
      call({ method: 'PUT', path: '/admin/alert-settings', body, answer: alertSettings }),
  }
}

function at(id: string): string {
  return `/admin/alerts/${encodeURIComponent(id)}`
}
