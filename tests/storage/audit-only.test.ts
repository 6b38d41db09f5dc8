import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AuditFact, auditId } from '../../apps/server/src/audit/event.ts'
import { manualClock } from '../../apps/server/src/clock.ts'
import { NIL_UUID, StorageUnavailable } from '../../apps/server/src/storage/errors.ts'
import type { Database } from '../../apps/server/src/storage/open.ts'
import { auditRows, brokenWriters } from '../_util/channel-items.ts'
import { createTestDatabase, type SeededTenant, seedTenant, type TestDatabase } from '../_util/database.ts'

const clock = manualClock()
let store: TestDatabase
let database: Database
let tenant: SeededTenant

beforeAll(async () => {
  store = await createTestDatabase()
  database = await store.open({ clock })
  tenant = await seedTenant(database, store.keys, clock)
})
afterAll(() => store.drop())

const refused = (user = randomUUID()): AuditFact => ({ action: 'auth.login', outcome: 'refused', user: auditId(user) })
const transactions = async () =>
  Number((await store.query<{ n: string }>('SELECT count(DISTINCT xmin::text) AS n FROM audit_outbox'))[0]?.n)

describe('auditOnly', () => {
  it('R-70 is on disk when it resolves, with the time it was said', async () => {
    const user = randomUUID()
    const said = database.auditOnly(tenant.tenantId, refused(user))
    clock.advance(5_000)
    await said
    const row = (await auditRows(store, tenant.tenantId)).find(({ event }) => event.user === user)
    expect(row?.event.at).toBe(new Date(clock.now() - 5_000).toISOString())
    expect(row?.at.toISOString()).toBe(row?.event.at)
  })

  it('R-70 of nobody yet belongs to no tenant', async () => {
    await database.auditOnly(null, { action: 'socket.connect', outcome: 'refused', reason: 'origin' })
    expect((await auditRows(store, NIL_UUID)).map(({ event }) => event)).toMatchObject([
      { tenant: NIL_UUID, reason: 'origin' },
    ])
    expect(await database.readAudit(null, { limit: 10 })).toHaveLength(1)
  })

  it('a flood shares few transactions, and each tenant has its turn', async () => {
    const other = await seedTenant(database, store.keys, clock)
    const before = await transactions()
    const order: string[] = []
    const flood = Array.from({ length: 1_200 }, () =>
      database.auditOnly(tenant.tenantId, refused()).then(() => order.push('flood')),
    )
    const lone = database.auditOnly(other.tenantId, refused()).then(() => order.push('lone'))
    await Promise.all([...flood, lone])
    expect((await transactions()) - before).toBeLessThanOrEqual(4)
    expect(order.indexOf('lone')).toBeLessThan(order.lastIndexOf('flood'))
    expect(await brokenWriters(store)).toEqual([])
  })

  it('R-52 refuses what would wait beyond the bound, and of one tenant’s flood no other tenant has anything', async () => {
    const other = await seedTenant(database, store.keys, clock)
    const bounded = await store.open({ limits: { auditWaiting: 6 } })
    const outcomes = await Promise.allSettled(
      Array.from({ length: 5 }, () => bounded.auditOnly(tenant.tenantId, refused())),
    )
    expect(outcomes.map((outcome) => outcome.status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'rejected',
    ])
    const flood = Array.from({ length: 5 }, () => bounded.auditOnly(tenant.tenantId, refused()))
    const beside = [bounded.auditOnly(other.tenantId, refused()), bounded.auditOnly(null, refused())]
    expect((await Promise.allSettled(flood)).map(({ status }) => status)).toContain('rejected')
    await Promise.all(beside)
    expect((outcomes[4] as PromiseRejectedResult).reason).toBeInstanceOf(StorageUnavailable)
    await bounded.auditOnly(tenant.tenantId, refused())
  })

  it('refuses what is no event, and no tenant, without harm to its neighbours', async () => {
    const good = database.auditOnly(tenant.tenantId, refused())
    const bad = database.auditOnly(tenant.tenantId, { ...refused(), note: 'text' } as AuditFact)
    const nobody = database.auditOnly('not a tenant', refused())
    await expect(bad).rejects.toThrow('audit event')
    await expect(nobody).rejects.toThrow('audit event')
    await good
  })

  it('writes what waits before it closes', async () => {
    const closing = await store.open()
    const user = randomUUID()
    const waiting = closing.auditOnly(tenant.tenantId, refused(user))
    await closing.close()
    await waiting
    expect((await auditRows(store, tenant.tenantId)).some(({ event }) => event.user === user)).toBe(true)
  })
})

describe('readAudit', () => {
  it('pages from the newest down, each event once, also within one millisecond', async () => {
    const fresh = await seedTenant(database, store.keys, clock)
    const users = Array.from({ length: 25 }, () => randomUUID())
    for (const [index, user] of users.entries()) {
      if (index % 10 === 0) clock.advance(1)
      await database.auditOnly(fresh.tenantId, refused(user))
    }
    const seen: string[] = []
    for (let page = await database.readAudit(fresh.tenantId, { limit: 7 }); page.length > 0; ) {
      for (const row of page) if (row.event?.user !== undefined) seen.push(row.event.user)
      page = await database.readAudit(fresh.tenantId, { limit: 7, before: page.at(-1) })
    }
    expect([...seen].sort()).toEqual([...users].sort())
    expect(seen.slice(0, 5).sort()).toEqual(users.slice(20).sort())
    expect(await database.readAudit(tenant.tenantId, { limit: 10_000 })).toHaveLength(500)
  })

  it('shows a row whose bytes were changed as what it is, and the others beside it', async () => {
    const fresh = await seedTenant(database, store.keys, clock)
    await store.query("INSERT INTO audit_outbox VALUES ($1, $2, 1, now(), 'nonsense')", [fresh.tenantId, randomUUID()])
    const rows = await database.readAudit(fresh.tenantId, { limit: 10 })
    expect(new Set(rows.map((row) => row.event?.action ?? null))).toEqual(new Set([null, 'tenant.create']))
  })
})
