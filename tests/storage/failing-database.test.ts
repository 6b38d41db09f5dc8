import { randomUUID } from 'node:crypto'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { auditId } from '../../apps/server/src/audit/event.ts'
import { StorageUnavailable } from '../../apps/server/src/storage/errors.ts'
import type { Database } from '../../apps/server/src/storage/open.ts'
import { auditRows, brokenChannels, brokenWriters, postItem } from '../_util/channel-items.ts'
import { createTestDatabase, type SeededTenant, seedTenant, type TestDatabase } from '../_util/database.ts'
import { createFaultyLink, type FaultyLink } from '../_util/faulty-link.ts'

let store: TestDatabase
let link: FaultyLink
let database: Database
let tenant: SeededTenant
let nurse: string
let channelId: string

beforeAll(async () => {
  store = await createTestDatabase()
  link = await createFaultyLink(store.appUrl)
  database = await store.open({
    appUrl: link.url,
    limits: { connectMs: 500, statementMs: 1_000, waitMs: 500, transactionMs: 2_000 },
  })
  // By another way in, whose patience is not as short: what is tested begins when all of that is there.
  tenant = await seedTenant(await store.open(), store.keys)
  nurse = await tenant.addUser()
  channelId = (await tenant.addChannel(nurse)).id
})
afterEach(() => link.mend())
afterAll(async () => {
  await store.drop()
  await link.close()
})

const writersOf = async () => new Set((await auditRows(store, tenant.tenantId)).map((row) => row.writer))

describe('the answer to a commit is lost', () => {
  it('[P2] R-71 a post that was committed is accepted once, with one event, by asking again', async () => {
    await database.commitBatch(tenant.tenantId, [postItem(channelId, nurse)])
    const items = [postItem(channelId, nurse), postItem(channelId, nurse)]
    const before = await database.readHeads(tenant.tenantId, [channelId])
    link.loseAnswerTo('wardline_commit')
    const results = await database.commitBatch(tenant.tenantId, items)
    const head = before.get(channelId) ?? 0
    expect(results).toMatchObject([
      { verdict: 'accepted', id: items[0]!.id, seq: head + 1 },
      { verdict: 'accepted', id: items[1]!.id, seq: head + 2 },
    ])
    const events = (await auditRows(store, tenant.tenantId)).filter(({ event }) => event.message === items[0]!.id)
    expect(events).toHaveLength(1)
    expect(await brokenChannels(store)).toEqual([])
  })

  it('R-72 retires the writer, so that no writer has a gap or a number twice', async () => {
    await database.commitBatch(tenant.tenantId, [postItem(channelId, nurse)])
    const before = await writersOf()
    link.loseAnswerTo('wardline_commit')
    await database.commitBatch(tenant.tenantId, [postItem(channelId, nurse)])
    await database.commitBatch(tenant.tenantId, [postItem(channelId, nurse)])
    expect((await writersOf()).size).toBe(before.size + 1)
    expect(await brokenWriters(store)).toEqual([])
  })

  it('R-72 of an ordinary change: says unavailable, retires the writer, and the next one begins at 1', async () => {
    const change = (id: string) =>
      database.withTenant(tenant.tenantId, async ({ db, audit }) => {
        await db.user.update({
          where: { tenantId_id: { tenantId: tenant.tenantId, id: nurse } },
          data: { title: 'RN' },
        })
        audit({ action: 'user.update', outcome: 'allowed', user: auditId(id) })
      })
    await change(nurse)
    const marker = randomUUID()
    const lost = database.withTenant(tenant.tenantId, async ({ audit }) => {
      audit({ action: 'user.update', outcome: 'allowed', user: auditId(marker) })
      link.loseAnswerTo('COMMIT')
    })
    await expect(lost).rejects.toThrow(StorageUnavailable)
    // It was made all the same, with its event: that is why nobody may say that it was not.
    expect((await auditRows(store, tenant.tenantId)).filter(({ event }) => event.user === marker)).toHaveLength(1)
    for (let i = 0; i < 10; i++) await change(nurse)
    expect(await brokenWriters(store)).toEqual([])
  })

  it('R-72 of an event without a change: the caller is told, and it is not written twice', async () => {
    const marker = randomUUID()
    link.loseAnswerTo('wardline_audit')
    const fact = { action: 'auth.login', outcome: 'refused', user: auditId(marker) } as const
    await expect(database.auditOnly(tenant.tenantId, fact)).rejects.toThrow(StorageUnavailable)
    await database.auditOnly(tenant.tenantId, { action: 'auth.logout', outcome: 'allowed' })
    expect((await auditRows(store, tenant.tenantId)).filter(({ event }) => event.user === marker)).toHaveLength(1)
    expect(await brokenWriters(store)).toEqual([])
  })
})

describe.each([
  ['is gone', () => link.cut()],
  ['does not answer', () => link.hang()],
])('the database %s', (_, fail) => {
  it('everything says unavailable, and works again afterwards', async () => {
    await database.commitBatch(tenant.tenantId, [postItem(channelId, nurse)])
    fail()
    const unavailable = [
      database.commitBatch(tenant.tenantId, [postItem(channelId, nurse)]),
      database.auditOnly(tenant.tenantId, { action: 'auth.login', outcome: 'refused' }),
      database.withTenant(tenant.tenantId, async ({ audit }) => audit({ action: 'user.update', outcome: 'allowed' })),
      database.readTenant(tenant.tenantId, (db) => db.user.count()),
      database.readEvents(tenant.tenantId, channelId, 0, 10),
      database.pollVersions(tenant.tenantId, [nurse]),
      database.findTenant('anybody'),
      database.useProof(Buffer.alloc(32), Date.now()),
      database.readAudit(tenant.tenantId, { limit: 1 }),
      database.ping(),
    ]
    const outcomes = await Promise.allSettled(unavailable)
    expect(outcomes.map((o) => (o.status === 'rejected' ? (o.reason as Error).constructor.name : o.status))).toEqual(
      outcomes.map(() => expect.stringMatching(/^(StorageUnavailable|OutcomeUnknown)$/)),
    )
    link.mend()
    await database.ping()
    expect(await database.commitBatch(tenant.tenantId, [postItem(channelId, nurse)])).toMatchObject([
      { verdict: 'accepted' },
    ])
    await database.withTenant(tenant.tenantId, async ({ audit }) =>
      audit({ action: 'user.update', outcome: 'allowed' }),
    )
    await database.auditOnly(tenant.tenantId, { action: 'auth.login', outcome: 'refused' })
    expect(await database.readTenant(tenant.tenantId, (db) => db.user.count())).toBe(1)
    expect(await brokenWriters(store)).toEqual([])
  })
})
