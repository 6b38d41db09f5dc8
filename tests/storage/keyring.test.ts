import { asPhi } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { manualClock } from '../../apps/server/src/clock.ts'
import { SealError } from '../../apps/server/src/keys/envelope.ts'
import {
  createKeyring,
  KEY_CACHE_MS,
  KeyDestroyed,
  KeyMissing,
  type Keyring,
} from '../../apps/server/src/keys/keyring.ts'
import { providerOf } from '../../apps/server/src/keys/root-key.ts'
import type { Database } from '../../apps/server/src/storage/open.ts'
import { createTestDatabase, type SeededTenant, seedTenant, type TestDatabase } from '../_util/database.ts'

const clock = manualClock()
const CANARY = asPhi('DOE, Jane')
let store: TestDatabase
let database: Database
let tenant: SeededTenant
let other: SeededTenant
let keyring: Keyring
let channel: { id: string; dataKeyId: string }

beforeAll(async () => {
  store = await createTestDatabase()
  database = await store.open({ clock })
  tenant = await seedTenant(database, store.keys, clock)
  other = await seedTenant(database, store.keys, clock)
  keyring = tenant.keyring
  channel = await tenant.addChannel()
})
afterAll(() => store.drop())

const place = () => ({ scope: channel.id, row: channel.id, purpose: 'title' })
const another = () => createKeyring({ database, keys: store.keys, clock })

describe('keyring', () => {
  it('R-60 seals with a channel’s key, and any node opens it', async () => {
    const sealed = await keyring.seal(tenant.tenantId, channel.dataKeyId, place(), CANARY)
    expect(Buffer.from(sealed).includes('DOE')).toBe(false)
    expect(await another().open(tenant.tenantId, place(), sealed)).toBe(CANARY)
    await expect(keyring.open(tenant.tenantId, { ...place(), row: other.tenantId }, sealed)).rejects.toThrow(SealError)
  })

  it('R-37 opens nothing of another tenant', async () => {
    const sealed = await keyring.seal(tenant.tenantId, channel.dataKeyId, place(), CANARY)
    await expect(another().open(other.tenantId, place(), sealed)).rejects.toThrow(KeyMissing)
    await expect(another().dataKey(other.tenantId, channel.dataKeyId)).rejects.toThrow(KeyMissing)
  })

  it('R-60 opens nothing with another root key, and keeps no key in the clear', async () => {
    const wrong = createKeyring({ database, clock, keys: await providerOf(Buffer.alloc(32)) })
    await expect(wrong.dataKey(tenant.tenantId, channel.dataKeyId)).rejects.toThrow(SealError)
    const { key } = await keyring.dataKey(tenant.tenantId, channel.dataKeyId)
    const rows = await store.query<{ wrapped: Buffer }>(
      'SELECT wrapped FROM data_keys UNION ALL SELECT wrapped FROM tenant_keys',
    )
    for (const row of rows) expect(row.wrapped.includes(key.export())).toBe(false)
  })

  it('gives a loaded key without waiting', async () => {
    const fresh = another()
    expect(fresh.loadedKey(tenant.tenantId, channel.dataKeyId)).toBeUndefined()
    const key = await fresh.dataKey(tenant.tenantId, channel.dataKeyId)
    expect(fresh.loadedKey(tenant.tenantId, channel.dataKeyId)).toBe(key)
  })

  it('digests the same value the same way on every node, and differently by purpose and tenant', async () => {
    const digest = await keyring.digest(tenant.tenantId, 'mrn', '123456')
    expect(digest).toHaveLength(32)
    expect(await another().digest(tenant.tenantId, 'mrn', '123456')).toEqual(digest)
    expect(await keyring.digest(tenant.tenantId, 'fhir', '123456')).not.toEqual(digest)
    expect(await keyring.digest(other.tenantId, 'mrn', '123456')).not.toEqual(digest)
  })

  it('R-60 a shredded key opens nothing: here at once, on other nodes within the stated time, for good', async () => {
    const doomed = await tenant.addChannel()
    const where = { scope: doomed.id, row: doomed.id, purpose: 'title' }
    const sealed = await keyring.seal(tenant.tenantId, doomed.dataKeyId, where, CANARY)
    const node = another()
    expect(await node.open(tenant.tenantId, where, sealed)).toBe(CANARY)
    await database.withTenant(tenant.tenantId, async (change) => {
      await keyring.destroyDataKey(change, tenant.tenantId, doomed.dataKeyId)
      change.audit({ action: 'key.destroy', outcome: 'allowed' })
    })
    await expect(keyring.open(tenant.tenantId, where, sealed)).rejects.toThrow(KeyDestroyed)
    clock.advance(KEY_CACHE_MS)
    await expect(node.open(tenant.tenantId, where, sealed)).rejects.toThrow(KeyDestroyed)
    expect(node.loadedKey(tenant.tenantId, doomed.dataKeyId)).toBeUndefined()
    expect(await store.query('SELECT wrapped FROM data_keys WHERE id = $1', [doomed.dataKeyId])).toEqual([
      { wrapped: null },
    ])
    const again = database.withTenant(tenant.tenantId, async (change) => {
      change.audit({ action: 'key.destroy', outcome: 'allowed' })
      await keyring.destroyDataKey(change, tenant.tenantId, doomed.dataKeyId)
    })
    await expect(again).rejects.toThrow(KeyMissing)
  })
})
