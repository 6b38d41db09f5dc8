import { z } from 'zod'
import { pageQuery } from './http.ts'
import { auditEventView } from './http-audit.ts'
import { timestamp, uuid } from './ids.ts'

/** What a rule can find in the audit log. docs/alerts.md has a runbook under each name. */
export const alertKind = z.enum([
  'refused-access',
  'token-failures',
  'proof-replay',
  'stolen-token',
  'refresh-reuse',
  'sign-in-guessing',
  'factor-guessing',
  'authenticator-clone',
  'limits',
  'unusual-volume',
  'off-hours',
  'emergency-access',
  'set-up-link',
  'privileged-set-up-link',
  'factor-reset',
  'tampered-message',
  'audit-gap',
  'audit-stalled',
])
export type AlertKind = z.infer<typeof alertKind>

export const alertSeverity = z.enum(['low', 'medium', 'high', 'critical'])
export type AlertSeverity = z.infer<typeof alertSeverity>

export const alertState = z.enum(['open', 'acknowledged', 'closed'])
export type AlertState = z.infer<typeof alertState>

/** How an alert ended, in words of a list: it is audited, and the audit holds no typed text. */
export const alertResolution = z.enum(['resolved', 'expected', 'false-alarm', 'drill'])
export type AlertResolution = z.infer<typeof alertResolution>

const person = z.strictObject({ id: uuid, displayName: z.string().nullable() })

export const alert = z.strictObject({
  id: uuid,
  kind: alertKind,
  severity: alertSeverity,
  state: alertState,
  /** `installation`: its events belong to no tenant, and every tenant is told. */
  scope: z.enum(['tenant', 'installation']),
  /** Whose doings it is about; null where nobody was known. */
  user: person.nullable(),
  /** From where: an IPv4 address, or an IPv6 network of /64. */
  address: z.string().nullable(),
  patient: uuid.nullable(),
  /** Events of it so far. */
  count: z.int().min(1),
  firstAt: timestamp,
  lastAt: timestamp,
  /** When it was raised last: it may have been closed and have gone on. */
  raisedAt: timestamp,
  acknowledged: z.strictObject({ by: person, at: timestamp }).nullable(),
  closed: z.strictObject({ by: person, at: timestamp, resolution: alertResolution }).nullable(),
})
export type Alert = z.infer<typeof alert>

/** With its events, newest first: at most 50, though it may be of more. */
export const alertDetail = alert.extend({ events: z.array(auditEventView) })
export type AlertDetail = z.infer<typeof alertDetail>

/** `?state=&kind=` of `GET /admin/alerts`; `active` is open or acknowledged. */
export const alertQuery = pageQuery.extend({
  state: z.enum(['open', 'acknowledged', 'closed', 'active']).optional(),
  kind: alertKind.optional(),
})

export const closeAlert = z.strictObject({ resolution: alertResolution })

/** Where a tenant's alerts are sent: https alone, without credentials or fragment. */
export const webhookUrl = z.url({ protocol: /^https$/, normalize: true }).max(500)

export const alertDelivery = z.strictObject({
  id: uuid,
  /** Null: a test. */
  alert: uuid.nullable(),
  state: z.enum(['waiting', 'delivered', 'failed']),
  attempts: z.int().min(0),
  /** Of the last answer; null where there was none. */
  status: z.int().nullable(),
  /** Why there was no good one. */
  fault: z.string().nullable(),
  createdAt: timestamp,
  /** When the next attempt is due; null when there is none to come. */
  nextAt: timestamp.nullable(),
})
export type AlertDelivery = z.infer<typeof alertDelivery>

/** `GET /admin/alerts/webhook`: where to, and what became of the last messages. */
export const alertWebhook = z.strictObject({
  url: z.string().nullable(),
  changedAt: timestamp.nullable(),
  deliveries: z.array(alertDelivery),
})
export type AlertWebhook = z.infer<typeof alertWebhook>

export const setAlertWebhook = z.strictObject({ url: webhookUrl })

/** The secret that the messages are signed with (Standard Webhooks): shown once. */
export const alertWebhookSecret = z.strictObject({ secret: z.string() })

const minute = z.int().min(0).max(1439)

/** When this tenant's administrators work, in minutes of the day; `until` before `from` runs over midnight. Null: at any time. */
export const workingHours = z.strictObject({ zone: z.string().max(64), from: minute, until: minute })
export type WorkingHours = z.infer<typeof workingHours>

export const alertSettings = z.strictObject({ workingHours: workingHours.nullable() })
export type AlertSettings = z.infer<typeof alertSettings>

/** server → client, to whoever may see alerts: how many are open. Sent at the start, and when anything about them has changed. */
export const alertsChanged = z.strictObject({ type: z.literal('alerts.changed'), open: z.int().min(0) })
