import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { openLog } from '../../packages/transparency-log/src/log.ts'
import { S3Error, type S3Options, s3Store } from '../../packages/transparency-log/src/s3-store.ts'
import { StoreConflictError } from '../../packages/transparency-log/src/tile-store.ts'
import { verifyLog } from '../../packages/transparency-log/src/verify-log.ts'
import { auditLeaves, leafMaker, NOW, ORIGIN, signer, trust } from '../../packages/transparency-log/test/sample-log.ts'
import { CREDENTIALS, type FakeS3, startFakeS3 } from '../_util/fake-s3.ts'

const DAY_MS = 86_400_000
let s3: FakeS3
let now: number

beforeEach(async () => {
  now = NOW
  s3 = await startFakeS3(() => now)
})
afterEach(() => s3.close())

const store = (over: Partial<S3Options> = {}) =>
  s3Store({ url: s3.url, region: 'eu-test-1', credentials: CREDENTIALS, retentionDays: 2_192, now: () => now, ...over })
const at = (path: string) => `logs/hospital/${path}`
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text))

describe('a log in a bucket', () => {
  it('[R-72] is written, gone on with by another process, kept, tidied and verified', async () => {
    const make = leafMaker()
    const log = await openLog(store(), { origin: ORIGIN, signers: [signer] })
    await log.append(auditLeaves(300, make))
    await log.publish()
    await log.keep()
    const again = await openLog(store(), { origin: ORIGIN, signers: [signer] })
    expect(again.head.size).toBe(300)
    await again.append(auditLeaves(700, make))
    await again.publish()
    await again.keep()
    await again.tidy()
    expect([...s3.objects.keys()].filter((key) => key.includes('tile/0/001.p'))).toEqual([])
    expect(await verifyLog(store(), trust)).toMatchObject({ ok: true, entries: 1_000, rootsMatched: 3 })
  })

  it('what is for good is locked for six years, what is replaced or partial is not', async () => {
    const log = await openLog(store(), { origin: ORIGIN, signers: [signer] })
    await log.append(auditLeaves(300))
    await log.publish()
    await log.keep()
    const locked = [...s3.objects].filter(([, versions]) =>
      versions.every((one) => one.lockedUntil === NOW + 2_192 * DAY_MS),
    )
    expect(locked.map(([key]) => key).toSorted()).toEqual(['checkpoints/300', 'tile/0/000', 'tile/entries/000'].map(at))
    expect(s3.objects.get(at('checkpoint'))?.[0]?.lockedUntil).toBe(0)
    expect(s3.objects.get(at('tile/0/001.p/44'))?.[0]?.lockedUntil).toBe(0)
  })

  it('nothing is overwritten but the checkpoint', async () => {
    await store().write('tile/0/000', bytes('a'))
    await store().write('tile/0/000', bytes('a'))
    await expect(store().write('tile/0/000', bytes('b'))).rejects.toThrow(StoreConflictError)
    expect(s3.objects.get(at('tile/0/000'))).toHaveLength(1)
    await store().write('checkpoint', bytes('a'))
    await store().write('checkpoint', bytes('b'))
    expect(await store().read('checkpoint')).toEqual(bytes('b'))
  })

  it('a list of more than a page is whole, and of this log alone', async () => {
    const names = Array.from({ length: 8 }, (_, i) => `checkpoints/${i + 1}`)
    for (const name of names) await store().write(name, bytes(name))
    await store({ url: s3.url.replace('hospital', 'other') }).write('checkpoints/9', bytes('x'))
    const listed: string[] = []
    for await (const name of store().list('checkpoints')) listed.push(name)
    expect(listed.toSorted()).toEqual(names)
  })

  it('two writes that the store cannot order are asked again; an outage is an error and not an absence', async () => {
    s3.failures.push(409)
    await store().write('tile/0/000', bytes('a'))
    s3.failures.push(409, 409, 409)
    await expect(store().write('tile/0/001', bytes('a'))).rejects.toThrow(S3Error)
    s3.failures.push(503)
    await expect(store().read('tile/0/000')).rejects.toMatchObject({ code: 'HTTP 503' })
    s3.failures.push(500)
    const listing = async () => {
      for await (const _ of store().list('tile')) break
    }
    await expect(listing()).rejects.toThrow(S3Error)
  })

  it('with another key nothing is read or written', async () => {
    const stranger = store({ credentials: { ...CREDENTIALS, secretAccessKey: 'another' } })
    await expect(stranger.read('checkpoint')).rejects.toMatchObject({ code: 'HTTP 403' })
    await expect(stranger.write('tile/0/000', bytes('a'))).rejects.toMatchObject({ code: 'HTTP 403' })
    expect(s3.objects.size).toBe(0)
  })

  it('without a lock where none is wished', async () => {
    await store({ retentionDays: 0 }).write('tile/0/000', bytes('a'))
    expect(s3.objects.get(at('tile/0/000'))?.[0]?.lockedUntil).toBe(0)
  })
})
