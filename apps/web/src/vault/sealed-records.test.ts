import { expect, test } from 'vitest'
import { type RecordStore, sealedRecords, type Table } from './sealed-records.ts'

function memoryStore() {
  const held = new Map<string, unknown>()
  const store: RecordStore = {
    get: (table, key) => Promise.resolve(held.get(`${table}:${key}`)),
    all: (table) =>
      Promise.resolve(
        [...held]
          .filter(([key]) => key.startsWith(`${table}:`))
          .map(([key, value]) => [key.slice(table.length + 1), value]),
      ),
    put: (table, key, value) => Promise.resolve(void held.set(`${table}:${key}`, value)),
    remove: (table, key) => Promise.resolve(void held.delete(`${table}:${key}`)),
    clear: () => Promise.resolve(held.clear()),
  }
  const raw = (table: Table, key: string) => held.get(`${table}:${key}`)
  return { store, held, raw }
}

const draft = { body: 'BP 88/54, please come', priority: 'urgent' }

test('a draft comes back after a reload, and lies on the device only as ciphertext', async () => {
  const { store, held } = memoryStore()
  await sealedRecords(store).write('drafts', 'lind', 'channel-1', draft)
  const bytes = [...held.values()].flatMap((value) =>
    typeof value === 'object' && value !== null && 'sealed' in value ? [Buffer.from(value.sealed as ArrayBuffer)] : [],
  )
  expect(bytes).toHaveLength(1)
  expect(bytes[0]?.includes('88/54')).toBe(false)
  expect(await sealedRecords(store).read('drafts', 'lind', 'channel-1')).toEqual(draft)
})

test('the key cannot be taken out', async () => {
  const { store, raw } = memoryStore()
  await sealedRecords(store).write('drafts', 'lind', 'channel-1', draft)
  const key = raw('keys', 'aes-gcm') as CryptoKey
  expect(key.extractable).toBe(false)
  await expect(crypto.subtle.exportKey('raw', key)).rejects.toThrow()
})

test('another person, conversation or table does not open it', async () => {
  const { store, held } = memoryStore()
  const records = sealedRecords(store)
  await records.write('drafts', 'lind', 'channel-1', draft)
  const sealed = held.get('drafts:lind/channel-1')
  held.set('drafts:vega/channel-1', sealed)
  held.set('drafts:lind/channel-2', sealed)
  held.set('outbox:lind/channel-1', sealed)
  expect(await records.read('drafts', 'vega', 'channel-1')).toBeNull()
  expect(await records.read('drafts', 'lind', 'channel-2')).toBeNull()
  expect(await records.read('outbox', 'lind', 'channel-1')).toBeNull()
  expect(await records.readAll('drafts', 'lind')).toEqual([draft])
})

test('after a wipe nothing is left, and an old copy does not open either', async () => {
  const { store, held } = memoryStore()
  const records = sealedRecords(store)
  await records.write('drafts', 'lind', 'channel-1', draft)
  const copy = held.get('drafts:lind/channel-1')
  await records.wipe()
  expect(held.size).toBe(0)
  held.set('drafts:lind/channel-1', copy)
  expect(await records.read('drafts', 'lind', 'channel-1')).toBeNull()
})

test('the next person on a shared workstation finds nothing of the one before', async () => {
  const { store, held } = memoryStore()
  const records = sealedRecords(store)
  await records.write('drafts', 'lind', 'channel-1', draft)
  await records.write('outbox', 'lind', 'post-1', draft)
  await records.write('drafts', 'vega', 'channel-1', draft)
  await records.keepOnly('vega')
  expect([...held.keys()]).toEqual(['keys:aes-gcm', 'drafts:vega/channel-1'])
})

test('what is broken is as good as not there', async () => {
  const { store } = memoryStore()
  await store.put('drafts', 'lind/channel-1', 'not sealed')
  expect(await sealedRecords(store).read('drafts', 'lind', 'channel-1')).toBeNull()
})
