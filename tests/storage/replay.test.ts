import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Database } from '../../apps/server/src/storage/open.ts'
import { postItem } from '../_util/channel-items.ts'
import { createTestDatabase, type SeededTenant, seedTenant, type TestDatabase } from '../_util/database.ts'

/** What ordinary reading has for itself (open.ts). */
const CONNECTIONS = 12

let store: TestDatabase
let database: Database
let tenant: SeededTenant
let other: SeededTenant
let nurse: string
let channelId: string

beforeAll(async () => {
  store = await createTestDatabase()
  database = await store.open()
  tenant = await seedTenant(database, store.keys)
  other = await seedTenant(database, store.keys)
  nurse = await tenant.addUser()
  channelId = (await tenant.addChannel(nurse)).id
  await database.commitBatch(
    tenant.tenantId,
    Array.from({ length: 30 }, () => postItem(channelId, nurse)),
  )
})
afterAll(() => store.drop())

const seqs = (events: { seq: number }[]) => events.map((event) => event.seq)
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i)

describe('replay', () => {
  it('R-42 reads up from a sequence and down from one, without what is there', async () => {
    const { tenantId } = tenant
    expect(seqs(await database.readEvents(tenantId, channelId, 0, 100))).toEqual(range(1, 30))
    expect(seqs(await database.readEvents(tenantId, channelId, 12, 5))).toEqual(range(13, 17))
    expect(seqs(await database.readEvents(tenantId, channelId, 30, 5))).toEqual([])
    expect(seqs(await database.readBefore(tenantId, channelId, 13, 5))).toEqual(range(8, 12).reverse())
    expect(seqs(await database.readBefore(tenantId, channelId, 1, 5))).toEqual([])
  })

  it('gives a row back as it was committed', async () => {
    const [root] = await database.readEvents(tenant.tenantId, channelId, 0, 1)
    const item = postItem(channelId, nurse, {
      messageId: root!.id,
      attributes: { priority: 'stat', mentions: [nurse], ackRequired: true },
    })
    const [result] = await database.commitBatch(tenant.tenantId, [item])
    expect(await database.readBefore(tenant.tenantId, channelId, 99, 1)).toEqual([
      {
        seq: 31,
        id: item.id,
        type: 'message.posted',
        actorId: nurse,
        clientId: item.clientId,
        messageId: root!.id,
        attributes: item.attributes,
        body: item.body,
        at: result?.verdict === 'accepted' ? result.at : -1,
      },
    ])
  })

  it('R-37 shows another tenant nothing', async () => {
    expect(await database.readEvents(other.tenantId, channelId, 0, 100)).toEqual([])
    expect(await database.readBefore(other.tenantId, channelId, 99, 100)).toEqual([])
    expect(await database.readReceipts(other.tenantId, channelId)).toEqual([])
    expect(await database.pollVersions(other.tenantId, [nurse])).toMatchObject({ tenantVersion: 1, users: new Map() })
    expect(await database.readHeads(other.tenantId, [channelId])).toEqual(new Map())
  })

  it('polls versions and heads; what is not there is missing', async () => {
    const missing = randomUUID()
    const versions = await database.pollVersions(tenant.tenantId, [nurse, missing])
    expect(versions).toMatchObject({ tenantVersion: 1, users: new Map([[nurse, 1]]) })
    expect(await database.readHeads(tenant.tenantId, [channelId, missing])).toEqual(new Map([[channelId, 31]]))
    expect((await database.pollVersions(missing, [])).tenantVersion).toBeNull()
  })

  it('R-19 whether somebody is still let in is asked past everything else that is being read', async () => {
    let release = () => {}
    const released = new Promise<void>((resolve) => {
      release = resolve
    })
    // Every connection that ordinary reading has, and one more who waits for one.
    let begun = 0
    const readers = Array.from({ length: CONNECTIONS + 1 }, () =>
      database.readTenant(tenant.tenantId, async () => {
        begun += 1
        await released
      }),
    )
    await expect.poll(() => begun).toBe(CONNECTIONS)
    const reads = database.readHeads(tenant.tenantId, [channelId]).then(() => 'heads')
    const versions = database.pollVersions(tenant.tenantId, [nurse]).then(() => 'versions')
    expect(await Promise.race([reads, versions])).toBe('versions')
    expect(await database.followAccess(tenant.tenantId, nurse, Date.now())).toMatchObject({ version: 1 })
    release()
    await Promise.all([...readers, reads])
  })
})

describe('before a tenant is known', () => {
  it('finds a tenant by its name, and lists them', async () => {
    const slug = `t-${tenant.tenantId.slice(0, 8)}`
    expect(await database.findTenant(slug)).toEqual({
      id: tenant.tenantId,
      slug,
      name: 'Test',
      version: 1,
      disabledAt: null,
    })
    expect(await database.findTenant('nobody')).toBeNull()
    expect((await database.listTenants()).map((row) => row.id).sort()).toEqual([tenant.tenantId, other.tenantId].sort())
  })

  it('R-16 takes a proof once, on whichever node, until it has expired', async () => {
    const node = await store.open()
    const digest = Buffer.from(randomUUID())
    const uses = await Promise.all(
      Array.from({ length: 10 }, (_, i) => (i % 2 ? node : database).useProof(digest, 1_000)),
    )
    expect(uses.filter(Boolean)).toHaveLength(1)
    expect(await database.forgetProofs(1_000)).toBe(0)
    expect(await database.useProof(digest, 1_000)).toBe(false)
    expect(await database.forgetProofs(1_001)).toBe(1)
    expect(await database.useProof(digest, 1_000)).toBe(true)
  })
})
