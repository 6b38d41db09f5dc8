import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Deliveries, RETRY_AFTER_MS, secretPlace } from '../../apps/server/src/alerts/webhook/deliveries.ts'
import type { Sent } from '../../apps/server/src/alerts/webhook/send.ts'
import { createSender } from '../../apps/server/src/alerts/webhook/send.ts'
import { isSigned, newWebhookSecret } from '../../apps/server/src/alerts/webhook/signature.ts'
import { targetsWith } from '../../apps/server/src/alerts/webhook/target.ts'
import { bySystem } from '../../apps/server/src/audit/by.ts'
import { type ManualClock, manualClock } from '../../apps/server/src/clock.ts'
import { createLogger } from '../../apps/server/src/log.ts'
import type { AlertReader } from '../../apps/server/src/storage/alert-reader.ts'
import type { Database } from '../../apps/server/src/storage/open.ts'
import { createTestDatabase, type SeededTenant, seedTenant, type TestDatabase } from '../_util/database.ts'
import { startWebhookReceiver } from '../_util/webhook-receiver.ts'

/** Messages to webhooks: at least once, over restarts and receivers that are down, on fake time. */

const URL_SET = 'https://hooks.example.org/wardline'

let store: TestDatabase
let database: Database
let clock: ManualClock
let reader: AlertReader
let seeded: SeededTenant
let secret: string

beforeAll(async () => {
  store = await createTestDatabase()
  clock = manualClock(Date.UTC(2026, 10, 22, 12))
  database = await store.open({ clock })
  reader = await database.alertReader(() => undefined)
})
afterAll(async () => {
  await reader.close()
  await store.drop()
})

beforeEach(async () => {
  seeded = await seedTenant(database, store.keys, clock)
  const { tenantId, keyring } = seeded
  secret = newWebhookSecret()
  await database.withTenant(tenantId, async (tx) => {
    const dataKeyId = await keyring.createDataKey(tx, tenantId, 'webhook')
    const sealedSecret = await keyring.seal(tenantId, dataKeyId, secretPlace(tenantId), Buffer.from(secret))
    const changedAt = new Date(clock.now())
    const changedBy = bySystem.actor
    await tx.db.alertWebhook.create({ data: { tenantId, url: URL_SET, dataKeyId, sealedSecret, changedBy, changedAt } })
    tx.audit({ ...bySystem, action: 'webhook.change', outcome: 'allowed' })
  })
})

type Posted = { id: string; at: string; type: string; isSigned: boolean }

/** A process that delivers: what it posted, and how each attempt ends. */
function process(answer: () => Sent | Promise<Sent>) {
  const posted: Posted[] = []
  const deliveries = new Deliveries({
    clock,
    database,
    keyring: seeded.keyring,
    log: createLogger('silent'),
    site: { url: (path) => `https://wardline.example.org${path}` },
    send: async (url, headers, payload) => {
      expect(url).toBe(URL_SET)
      const { type } = JSON.parse(payload) as { type: string }
      posted.push({
        id: headers['webhook-id'] ?? '',
        at: headers['webhook-timestamp'] ?? '',
        type,
        isSigned: isSigned(secret, headers, payload, clock.now() / 1000),
      })
      return answer()
    },
  })
  return {
    posted,
    look: async () => {
      await deliveries.look(reader, [seeded.tenantId])
      await deliveries.idle()
    },
    deliveries,
  }
}

/** An alert is raised, as the engine records it. */
async function raise(key = 'k'): Promise<void> {
  const at = clock.now()
  const item = { kind: 'limits', severity: 'low', scope: 'tenant', user: null, address: null, patient: null } as const
  const alerts = [{ ...item, id: crypto.randomUUID(), key, count: 1, first: at, last: at, lastIndex: 1, events: [] }]
  const { recordAlerts } = await import('../../apps/server/src/storage/alert-rows.ts')
  await database.withTenant(seeded.tenantId, async (tx) => {
    const raised = await recordAlerts(tx, { move: null, now: at, windows: [], alerts })
    tx.audit({ ...bySystem, action: 'alert.raise', outcome: 'allowed', count: raised.length })
  })
}

const rows = () =>
  store.query<{ state: string; attempts: number; status: number | null; fault: string | null }>(
    'SELECT state, attempts, status, fault FROM alert_deliveries WHERE tenant_id = $1 ORDER BY created_at',
    [seeded.tenantId],
  )

const down = (): Sent => ({ fault: 'refused' })
const up = (): Sent => ({ status: 200 })

describe('R-74 a message to a webhook', () => {
  it('is sent once where it is taken, signed with the tenant’s secret', async () => {
    await raise()
    const { posted, look } = process(up)
    await look()
    await look()
    expect(posted).toMatchObject([{ type: 'alert.raised', isSigned: true }])
    expect(await rows()).toEqual([{ state: 'delivered', attempts: 1, status: 200, fault: null }])
  })

  it('is tried again, later and later, under the same id and a new signature, until it is taken', async () => {
    await raise()
    let isUp = false
    const { posted, look } = process(() => (isUp ? up() : down()))
    await look()
    for (const wait of RETRY_AFTER_MS.slice(0, 3)) {
      clock.advance(wait - 1)
      await look()
      const before = posted.length
      clock.advance(1)
      await look()
      expect(posted.length).toBe(before + 1)
    }
    expect(await rows()).toEqual([{ state: 'waiting', attempts: 4, status: null, fault: 'refused' }])
    isUp = true
    clock.advance(RETRY_AFTER_MS[3] ?? 0)
    await look()
    expect(await rows()).toEqual([{ state: 'delivered', attempts: 5, status: 200, fault: null }])
    expect(new Set(posted.map(({ id }) => id)).size).toBe(1)
    expect(new Set(posted.map(({ at }) => at)).size).toBe(5)
    expect(posted.every((each) => each.isSigned)).toBe(true)
  })

  it('is given up in the end, and says so', async () => {
    await raise()
    const { posted, look } = process(() => ({ status: 500 }))
    await look()
    for (const wait of RETRY_AFTER_MS) {
      clock.advance(wait)
      await look()
    }
    clock.advance(7 * 24 * 3_600_000)
    await look()
    expect(posted).toHaveLength(RETRY_AFTER_MS.length + 1)
    expect(await rows()).toEqual([{ state: 'failed', attempts: RETRY_AFTER_MS.length + 1, status: 500, fault: null }])
  })

  it('survives the process that would have sent it', async () => {
    await raise()
    const first = process(down)
    await first.look()
    // Killed between sending and writing down: sent again by the next, under the same id.
    const dying = process(() => {
      throw new Error('killed')
    })
    clock.advance(RETRY_AFTER_MS[0] ?? 0)
    await dying.look()
    const next = process(up)
    await next.look()
    expect([...first.posted, ...dying.posted, ...next.posted].map(({ id }) => id)).toEqual(
      Array.from({ length: 3 }, () => next.posted[0]?.id),
    )
    expect(await rows()).toMatchObject([{ state: 'delivered', attempts: 2 }])
  })

  it('under way is not begun again, and one that hangs holds up no other', async () => {
    await raise('one')
    let release = (_sent: Sent) => {}
    const hanging = new Promise<Sent>((resolve) => {
      release = resolve
    })
    let calls = 0
    const { posted, deliveries, look } = process(() => {
      calls += 1
      return calls === 1 ? hanging : up()
    })
    await deliveries.look(reader, [seeded.tenantId])
    await expect.poll(() => posted.length).toBe(1)
    await raise('two')
    await deliveries.look(reader, [seeded.tenantId])
    await expect.poll(async () => (await rows()).map(({ state }) => state)).toEqual(['waiting', 'delivered'])
    release(up())
    await look()
    expect(posted).toHaveLength(2)
    expect((await rows()).map(({ state }) => state)).toEqual(['delivered', 'delivered'])
  })
})

describe('sending', () => {
  it('says why it could not: down, another certificate, an address that may not be', async () => {
    const receiver = await startWebhookReceiver()
    const here = targetsWith(['127.0.0.1', '::1'])
    const { readFileSync } = await import('node:fs')
    const trusting = createSender(here, [readFileSync(receiver.caFile, 'utf8')])
    expect(await trusting(receiver.url, {}, '{}')).toEqual({ status: 204 })
    expect(await createSender(here, undefined)(receiver.url, {}, '{}')).toEqual({ fault: 'tls' })
    expect(await createSender(targetsWith([]), undefined)(receiver.url, {}, '{}')).toEqual({ fault: 'not-allowed' })
    expect(await trusting('https://127.0.0.2:1/', {}, '{}')).toEqual({ fault: 'not-allowed' })
    expect(await trusting(receiver.url.replace('https', 'http'), {}, '{}')).toEqual({ fault: 'not-allowed' })
    expect(receiver.received).toHaveLength(1)
    await receiver.close()
    expect(await trusting(receiver.url, {}, '{}')).toEqual({ fault: 'refused' })
  })
})
