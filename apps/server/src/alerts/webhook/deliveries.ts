import { bySystem } from '../../audit/by.ts'
import { type AuditFact, auditId } from '../../audit/event.ts'
import type { Clock } from '../../clock.ts'
import type { Site } from '../../http/site.ts'
import type { Keyring } from '../../keys/keyring.ts'
import type { Logger } from '../../log.ts'
import type { AlertReader, DueDelivery } from '../../storage/alert-reader.ts'
import type { Database } from '../../storage/open.ts'
import { namesOf, viewOfAlert } from '../view.ts'
import type { Sender, Sent } from './send.ts'
import { signedHeaders } from './signature.ts'

const SECOND_MS = 1_000
const MINUTE_MS = 60 * SECOND_MS
const HOUR_MS = 60 * MINUTE_MS
/** From each failed attempt to the next; after the last a message is given up: some 28 hours in all. */
export const RETRY_AFTER_MS = [
  5 * SECOND_MS,
  30 * SECOND_MS,
  2 * MINUTE_MS,
  10 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
  2 * HOUR_MS,
  4 * HOUR_MS,
  8 * HOUR_MS,
  12 * HOUR_MS,
]
/** Messages of one tenant that are under way at once. */
const AT_ONCE = 4

/** Where a webhook's secret belongs (keys/envelope.ts). */
export const secretPlace = (tenantId: string) => ({ scope: 'webhooks', row: tenantId, purpose: 'secret' }) as const

type Parts = {
  readonly clock: Clock
  readonly log: Logger
  readonly site: Pick<Site, 'url'>
  readonly database: Pick<Database, 'readTenant' | 'withTenant'>
  readonly keyring: Pick<Keyring, 'open'>
  readonly send: Sender
}

/**
 * Brings messages to webhooks: each at least once, tried again for a day, also after a restart, for what is to be sent is a row. The
 * message's id stays the same, so that a receiver can tell one that came twice. It holds ids, words and counts: no ePHI.
 */
export class Deliveries {
  readonly #parts: Parts
  readonly #underWay = new Map<string, Promise<void>>()

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Begins with what is due. What is under way is not waited for. */
  async look(reader: Pick<AlertReader, 'due'>, tenants: readonly string[]): Promise<void> {
    const now = this.#parts.clock.now()
    for (const tenant of tenants) {
      for (const due of await reader.due(tenant, now, AT_ONCE)) {
        if (this.#underWay.has(due.id)) continue
        const delivering = this.#deliver(tenant, due)
          .catch((error: unknown) => this.#parts.log.warn('webhook.failing', { tenant, error }))
          .finally(() => this.#underWay.delete(due.id))
        this.#underWay.set(due.id, delivering)
      }
    }
  }

  /** Resolves when nothing is under way. */
  async idle(): Promise<void> {
    await Promise.all(this.#underWay.values())
  }

  async #deliver(tenant: string, due: DueDelivery): Promise<void> {
    const { clock, keyring, send } = this.#parts
    const payload = await this.#payloadOf(tenant, due)
    const secret = await keyring.open(tenant, secretPlace(tenant), due.sealedSecret)
    const at = Math.floor(clock.now() / SECOND_MS)
    await this.#settle(tenant, due, await send(due.url, signedHeaders(secret, due.id, at, payload), payload))
  }

  async #payloadOf(tenantId: string, { alertId }: DueDelivery): Promise<string> {
    const { clock, database, site } = this.#parts
    return database.readTenant(tenantId, async (db) => {
      const { slug } = await db.tenant.findUniqueOrThrow({ where: { id: tenantId }, select: { slug: true } })
      const row =
        alertId === null
          ? null
          : await db.alert.findUniqueOrThrow({ where: { tenantId_id: { tenantId, id: alertId } } })
      const timestamp = (row?.raisedAt ?? new Date(clock.now())).toISOString()
      const tenant = { id: tenantId, slug }
      if (row === null) return JSON.stringify({ type: 'alert.test', timestamp, data: { tenant } })
      // Neither names nor the patient: who may know them looks them up.
      const { id, kind, severity, scope, user, address, count, firstAt, lastAt } = viewOfAlert(
        row,
        await namesOf(db, tenantId, []),
      )
      const alert = { id, kind, severity, scope, user: user?.id ?? null, address, count, firstAt, lastAt }
      return JSON.stringify({
        type: 'alert.raised',
        timestamp,
        data: { tenant, alert, url: site.url(`/alerts/${id}`) },
      })
    })
  }

  async #settle(tenantId: string, { id, alertId, attempts }: DueDelivery, sent: Sent): Promise<void> {
    const status = 'status' in sent ? sent.status : null
    const isDelivered = status !== null && status >= 200 && status < 300
    const retryMs = RETRY_AFTER_MS[attempts]
    await this.#parts.database.withTenant(tenantId, async (tx) => {
      const at = new Date(tx.at)
      const isOver = isDelivered || retryMs === undefined
      await tx.db.alertDelivery.updateMany({
        where: { tenantId, id, state: 'waiting' },
        data: {
          attempts: attempts + 1,
          status,
          fault: 'fault' in sent ? sent.fault : null,
          ...(isOver
            ? { state: isDelivered ? 'delivered' : 'failed', endedAt: at }
            : { nextAt: new Date(tx.at + retryMs) }),
        },
      })
      const about: Partial<AuditFact> = alertId === null ? {} : { alert: auditId(alertId) }
      const outcome = isDelivered ? 'allowed' : 'failed'
      tx.audit({ ...bySystem, action: 'alert.deliver', outcome, ...about, count: attempts + 1 })
    })
  }
}
