import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import { asPhi, type Phi } from '@wardline/protocol'
import type { Clock } from '../clock.ts'
import type { Database } from '../storage/open.ts'
import type { Change, TenantDb } from '../storage/transaction.ts'
import { keyIdOf, openSealed, type SealKey, sealKey, sealWith } from './envelope.ts'
import { gather } from './gather.ts'
import { KeyCache } from './key-cache.ts'
import type { KeyProvider } from './root-key.ts'

/** The key was shredded: what it sealed is gone for good, on purpose. */
export class KeyDestroyed extends Error {
  constructor(keyId: string) {
    super(`key ${keyId} was destroyed`)
    this.name = 'KeyDestroyed'
  }
}

/** There is no such key in this tenant. */
export class KeyMissing extends Error {
  constructor(what: string) {
    super(`no key ${what}`)
    this.name = 'KeyMissing'
  }
}

/** Where a sealed value belongs within its tenant. `scope`: the channel's id, `patients` or `factors`; `row`: the row's id. */
export type Place = { readonly scope: string; readonly row: string; readonly purpose: string }

/** What a lookup digest is of: the same value in two purposes has two digests. */
export type DigestPurpose = 'mrn' | 'fhir'

type Bytes = Uint8Array<ArrayBuffer>

/** The keys of all tenants, opened when they are needed: root key → tenant key → data key. */
export interface Keyring {
  /** With a new tenant: its tenant key and the key of its lookup digests, in that transaction. */
  createTenantKeys(change: Change, tenantId: string): Promise<void>
  /** With a new channel, patient, second factor or webhook: its data key, in that transaction. Returns the key's id. */
  createDataKey(
    change: Change,
    tenantId: string,
    purpose: 'channel' | 'patient' | 'factor' | 'webhook',
  ): Promise<string>
  /** @throws KeyDestroyed, KeyMissing, StorageUnavailable; so do the three below */
  dataKey(tenantId: string, dataKeyId: string): Promise<SealKey>
  /** The same without waiting: undefined where it must be loaded first. One in steady use is renewed in the background. */
  loadedKey(tenantId: string, dataKeyId: string): SealKey | undefined
  seal(tenantId: string, dataKeyId: string, place: Place, text: Phi | Uint8Array): Promise<Bytes>
  /** @throws SealError when the value was changed, or belongs elsewhere */
  open(tenantId: string, place: Place, sealed: Uint8Array): Promise<Phi>
  /** HMAC-SHA-256 for the `…_digest` columns: equal values can be found, nothing else. */
  digest(tenantId: string, purpose: DigestPurpose, value: string): Promise<Bytes>
  /**
   * Shreds a data key: what it sealed can never be opened again, backups of the database without the root key included.
   * Other nodes forget it within {@link KEY_CACHE_MS}. The audit event is the caller's.
   */
  destroyDataKey(change: Change, tenantId: string, dataKeyId: string): Promise<void>
}

export type KeyringDeps = {
  readonly database: Pick<Database, 'readTenant'>
  readonly keys: KeyProvider
  readonly clock: Clock
}

/** An opened key is kept for so long, so that one that another node shredded is soon gone here too. */
export const KEY_CACHE_MS = 60_000
const KEY_CACHE_SIZE = 10_000
const KEY_BYTES = 32

/** Where the wrapped keys themselves belong. */
const wrapOf = (tenant: string, scope: 'tenant-keys' | 'data-keys', row: string) => ({
  tenant,
  scope,
  row,
  purpose: 'wrap',
})

export function createKeyring({ database, keys, clock }: KeyringDeps): Keyring {
  const cache = new KeyCache(clock, { entries: KEY_CACHE_SIZE, ms: KEY_CACHE_MS })

  /** The one that wraps new data keys. */
  async function currentTenantKey(db: TenantDb, tenantId: string): Promise<SealKey> {
    const row = await db.tenantKey.findFirst({
      where: { tenantId, retiredAt: null },
      orderBy: { createdAt: 'desc' },
    })
    if (row === null) throw new KeyMissing('of the tenant')
    return tenantKeyOf(row)
  }

  async function tenantKeyOf(row: { tenantId: string; id: string; wrapped: Uint8Array }): Promise<SealKey> {
    return sealKey(row.id, await keys.unwrap(wrapOf(row.tenantId, 'tenant-keys', row.id), row.wrapped))
  }

  async function insertDataKey(db: TenantDb, tenantKey: SealKey, tenantId: string, purpose: string): Promise<SealKey> {
    const id = randomUUID()
    const plain = randomBytes(KEY_BYTES)
    const wrapped = sealWith(tenantKey, wrapOf(tenantId, 'data-keys', id), plain)
    await db.dataKey.create({
      data: { tenantId, id, purpose, tenantKeyId: tenantKey.id, wrapped: new Uint8Array(wrapped) },
    })
    return sealKey(id, plain)
  }

  /** By id, together with all others that are wanted now. */
  const load = gather<SealKey>(
    (tenantId, ids) =>
      database.readTenant(tenantId, async (db) => {
        const rows = await db.dataKey.findMany({
          where: { tenantId, id: { in: [...ids] } },
          include: { tenantKey: true },
        })
        return unwrapped(tenantId, rows)
      }),
    (id) => new KeyMissing(id),
  )

  async function unwrapped(
    tenantId: string,
    rows: readonly {
      id: string
      wrapped: Uint8Array | null
      tenantKey: { tenantId: string; id: string; wrapped: Uint8Array }
    }[],
  ): Promise<Map<string, SealKey | Error>> {
    const tenantKeys = new Map<string, Promise<SealKey>>()
    const found = new Map<string, SealKey | Error>()
    for (const { id, wrapped, tenantKey } of rows) {
      if (wrapped === null) {
        found.set(id, new KeyDestroyed(id))
        continue
      }
      const opening = tenantKeys.get(tenantKey.id) ?? tenantKeyOf(tenantKey)
      tenantKeys.set(tenantKey.id, opening)
      try {
        found.set(id, sealKey(id, openSealed(await opening, wrapOf(tenantId, 'data-keys', id), wrapped)))
      } catch (error) {
        // One that was tampered with fails alone.
        found.set(id, error as Error)
      }
    }
    return found
  }

  /** The tenant's one key of lookup digests. */
  async function loadLookupKey(tenantId: string): Promise<SealKey> {
    const where = { tenantId, purpose: 'digest' }
    const row = await database.readTenant(tenantId, (db) => db.dataKey.findFirst({ where, select: { id: true } }))
    if (row === null) throw new KeyMissing('of lookup digests')
    return load(tenantId, row.id)
  }

  const dataKey = (tenantId: string, id: string) => cache.get(`${tenantId}|${id}`, () => load(tenantId, id))
  const lookupKey = (tenantId: string) => cache.get(`${tenantId}|digest`, () => loadLookupKey(tenantId))

  return {
    dataKey,
    loadedKey: (tenantId, id) => cache.peek(`${tenantId}|${id}`, () => load(tenantId, id)),

    async createTenantKeys({ db }, tenantId) {
      const id = randomUUID()
      const plain = randomBytes(KEY_BYTES)
      const wrapped = await keys.wrap(wrapOf(tenantId, 'tenant-keys', id), plain)
      await db.tenantKey.create({ data: { tenantId, id, wrapped: new Uint8Array(wrapped) } })
      await insertDataKey(db, sealKey(id, plain), tenantId, 'digest')
    },

    async createDataKey({ db }, tenantId, purpose) {
      const key = await insertDataKey(db, await currentTenantKey(db, tenantId), tenantId, purpose)
      // Whoever seals with it in this same transaction cannot read its row yet.
      await cache.get(`${tenantId}|${key.id}`, () => Promise.resolve(key))
      return key.id
    },

    async seal(tenantId, dataKeyId, place, text) {
      const plain = typeof text === 'string' ? Buffer.from(text) : text
      return new Uint8Array(sealWith(await dataKey(tenantId, dataKeyId), { tenant: tenantId, ...place }, plain))
    },

    async open(tenantId, place, sealed) {
      const key = await dataKey(tenantId, keyIdOf(sealed))
      return asPhi(openSealed(key, { tenant: tenantId, ...place }, sealed).toString())
    },

    async digest(tenantId, purpose, value) {
      const { digestKey } = await lookupKey(tenantId)
      return new Uint8Array(createHmac('sha256', digestKey).update(`${purpose}|${value}`).digest())
    },

    async destroyDataKey({ db, at }, tenantId, dataKeyId) {
      const { count } = await db.dataKey.updateMany({
        where: { tenantId, id: dataKeyId, destroyedAt: null },
        data: { wrapped: null, destroyedAt: new Date(at) },
      })
      if (count === 0) throw new KeyMissing(dataKeyId)
      cache.forget(`${tenantId}|${dataKeyId}`)
    },
  }
}
