import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type AuditFact, auditId } from '../../apps/server/src/audit/event.ts'
import { manualClock } from '../../apps/server/src/clock.ts'
import { isUniqueViolation, StorageUnavailable, UnauditedChange } from '../../apps/server/src/storage/errors.ts'
import type { Database } from '../../apps/server/src/storage/open.ts'
import { auditRows, brokenChannels, brokenWriters, postItem } from '../_util/channel-items.ts'
import { createTestDatabase, type SeededTenant, seedTenant, type TestDatabase } from '../_util/database.ts'

const clock = manualClock(Date.UTC(2026, 10, 22, 3, 4, 5, 678))
let store: TestDatabase
let database: Database
let tenant: SeededTenant
let nurse: string

beforeAll(async () => {
  store = await createTestDatabase()
  database = await store.open({ clock })
  tenant = await seedTenant(database, store.keys, clock)
  nurse = await tenant.addUser('nurse')
})
afterAll(() => store.drop())

const updated: AuditFact = { action: 'user.update', outcome: 'allowed' }
const titleOf = () =>
  database.readTenant(tenant.tenantId, async (db) => (await db.user.findFirst({ where: { id: nurse } }))?.title)
const countAudit = async () => (await auditRows(store, tenant.tenantId)).length
const setTitle = (title: string, after: () => unknown = () => undefined, facts: AuditFact[] = [updated]) =>
  database.withTenant(tenant.tenantId, async ({ db, audit }) => {
    await db.user.updateMany({ where: { id: nurse }, data: { title } })
    for (const fact of facts) audit(fact)
    await after()
  })

describe('withTenant', () => {
  it('R-71 commits the change and its events together, at one time', async () => {
    await setTitle('RN', undefined, [{ ...updated, user: auditId(nurse) }, updated])
    expect(await titleOf()).toBe('RN')
    const rows = (await auditRows(store, tenant.tenantId)).filter(({ event }) => event.action === 'user.update')
    expect(rows).toHaveLength(2)
    for (const row of rows) {
      expect(row.event).toMatchObject({
        at: '2026-11-22T03:04:05.678Z',
        tenant: tenant.tenantId,
        action: 'user.update',
      })
      expect(row.at.toISOString()).toBe(row.event.at)
    }
  })

  it('R-71 refuses a change without an event', async () => {
    await expect(setTitle('unaudited', undefined, [])).rejects.toThrow(UnauditedChange)
    expect(await titleOf()).toBe('RN')
  })

  it('R-71 rolls both back when anything throws, and throws it on', async () => {
    const before = await countAudit()
    const failure = new Error('no')
    const failing = setTitle('failed', () => {
      throw failure
    })
    await expect(failing).rejects.toBe(failure)
    expect(await titleOf()).toBe('RN')
    expect(await countAudit()).toBe(before)
  })

  it('R-71 rolls the change back when its event cannot be written', async () => {
    const bad = { action: 'user.update', outcome: 'allowed', reason: 'because I say so' } as unknown as AuditFact
    await expect(setTitle('badly audited', undefined, [bad])).rejects.toThrow('audit event')
    expect(await titleOf()).toBe('RN')
  })

  it('R-72 a transaction that was rolled back leaves no gap in its writer', async () => {
    for (let i = 0; i < 6; i++) {
      await setTitle(`title ${i}`)
      await setTitle('no', () => Promise.reject(new Error('no'))).catch(() => undefined)
      await setTitle('no', undefined, []).catch(() => undefined)
    }
    expect(await brokenWriters(store)).toEqual([])
  })

  it('R-72 many at once write gapless, whichever lane they get', async () => {
    await Promise.all(
      Array.from({ length: 60 }, (_, i) => setTitle(`many ${i}`, undefined, [updated, updated].slice(i % 2))),
    )
    expect(await brokenWriters(store)).toEqual([])
  })

  it('says which unique key was taken already', async () => {
    const twice = tenant.addUser('nurse')
    await expect(twice).rejects.toSatisfy(isUniqueViolation)
  })

  it('refuses when every lane is taken for too long, and when too many wait', async () => {
    const narrow = await store.open({ limits: { changeLanes: 1, waitMs: 250, waiting: 1 } })
    await narrow.readTenant(tenant.tenantId, (db) => db.user.count())
    let release = () => {}
    const held = new Promise<void>((resolve) => {
      release = resolve
    })
    const use = () =>
      narrow.withTenant(tenant.tenantId, async ({ audit }) => {
        audit(updated)
        await held
      })
    const first = use()
    const waits = use()
    await expect(use()).rejects.toThrow('too many')
    await expect(waits).rejects.toThrow(StorageUnavailable)
    release()
    await first
    await use()
  })
})

describe('append', () => {
  it('R-71 puts channel events and rows into one transaction, with the events’ own audit', async () => {
    const { id } = await tenant.addChannel(nurse)
    const other = await tenant.addUser()
    const join = () =>
      postItem(id, nurse, {
        type: 'member.joined',
        body: null,
        attributes: { user: other },
        audit: { action: 'member.join', outcome: 'allowed', user: auditId(other) },
      })
    const results = await database.withTenant(tenant.tenantId, async ({ db, append, audit }) => {
      await db.channelMember.create({ data: { tenantId: tenant.tenantId, channelId: id, userId: other } })
      audit(updated)
      return append([join(), postItem(id, nurse)])
    })
    expect(results).toMatchObject([
      { verdict: 'accepted', seq: 1, at: clock.now() },
      { verdict: 'accepted', seq: 2 },
    ])
    const [joined, post] = await database.readEvents(tenant.tenantId, id, 0, 10)
    expect(joined).toMatchObject({ type: 'member.joined', attributes: { user: other }, body: null })
    expect(post?.body?.toString()).toBe(`sealed ${post?.id}`)
    expect(
      (await auditRows(store, tenant.tenantId))
        .filter(({ event }) => event.user === other)
        .map(({ event }) => event.action),
    ).toEqual(['member.join'])

    const undone = database.withTenant(tenant.tenantId, async ({ append }) => {
      await append([join()])
      throw new Error('no')
    })
    await expect(undone).rejects.toThrow('no')
    expect(await database.readHeads(tenant.tenantId, [id])).toEqual(new Map([[id, 2]]))
    expect(await brokenChannels(store)).toEqual([])
    expect(await brokenWriters(store)).toEqual([])
  })

  it('an appended event is audit enough', async () => {
    const { id } = await tenant.addChannel(nurse)
    await database.withTenant(tenant.tenantId, ({ append }) => append([postItem(id, nurse)]))
    expect(await brokenWriters(store)).toEqual([])
  })
})

describe('readTenant', () => {
  it('changes nothing', async () => {
    const write = database.readTenant(tenant.tenantId, (db) => db.user.updateMany({ data: { title: 'written' } }))
    await expect(write).rejects.toThrow(/read-only/)
    expect(await titleOf()).not.toBe('written')
  })
})

describe('R-37 the tenant wall', () => {
  it('stands in every transaction, for reading, writing and moving', async () => {
    const other = await seedTenant(database, store.keys, clock)
    const stranger = await other.addUser('stranger')
    const seen = await database.readTenant(tenant.tenantId, (db) => db.user.findMany())
    expect(seen.map((user) => user.id)).not.toContain(stranger)
    expect(await database.readTenant(other.tenantId, (db) => db.user.count())).toBe(1)

    await database.withTenant(tenant.tenantId, async ({ db, audit }) => {
      audit(updated)
      expect((await db.user.updateMany({ where: { id: stranger }, data: { title: 'taken' } })).count).toBe(0)
      expect((await db.tenant.findMany()).map((row) => row.id)).toEqual([tenant.tenantId])
    })
    const smuggle = (data: { tenantId: string }) =>
      database.withTenant(tenant.tenantId, async ({ db, audit }) => {
        audit(updated)
        await db.user.create({ data: { ...data, id: randomUUID(), username: `u${randomUUID()}`, displayName: 'x' } })
      })
    await expect(smuggle({ tenantId: other.tenantId })).rejects.toThrow(/row-level security/)
    await smuggle({ tenantId: tenant.tenantId })
  })

  it('shows a transaction that names no tenant nothing at all', async () => {
    const nothing = await database.readTenant('', async (db) => [await db.user.count(), await db.auditOutbox.count()])
    expect(nothing).toEqual([0, 0])
  })
})
