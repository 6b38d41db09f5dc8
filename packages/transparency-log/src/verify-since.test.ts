import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { auditLeaves, leafMaker, NOW, ORIGIN, signer, trust } from '../test/sample-log.ts'
import { openLog } from './log.ts'
import { memoryStore } from './memory-store.ts'
import type { ReadableStore } from './tile-store.ts'
import { type VerifyOptions, verifyLog } from './verify-log.ts'
import { formatVerified, parseVerified, type Verified } from './verify-since.ts'

const FIRST = 70_000
let store: ReturnType<typeof memoryStore>
let verified: Verified
let reads: string[]

const make = leafMaker()
const early = auditLeaves(FIRST, make)
const late = auditLeaves(700, make)

const written = memoryStore()
beforeAll(async () => {
  const log = await openLog(written, { origin: ORIGIN, signers: [signer] })
  await log.append(early)
  await log.publish()
  verified = (await verifyLog(written, trust)).verified as Verified
  await log.append(late)
  await log.publish()
})
beforeEach(() => {
  store = memoryStore()
  for (const [path, bytes] of written.files) store.files.set(path, bytes)
  reads = []
})

const watched = (): ReadableStore => ({
  list: (folder) => store.list(folder),
  read: (path) => {
    reads.push(path)
    return store.read(path)
  },
})
const since = (over: Partial<VerifyOptions> = {}) => verifyLog(watched(), { ...trust, since: verified, ...over })

describe('going on from an earlier verification', () => {
  it('reads what came since, and as little as that of what was before', async () => {
    const report = await since()
    expect(report).toMatchObject({ ok: true, from: FIRST, entries: 700, writers: 4, rootsMatched: 2 })
    const bundles = reads.filter((path) => path.startsWith('tile/entries/'))
    expect(bundles.length).toBeLessThan(10)
    expect(reads.length).toBeLessThan(30)
  })

  it('what it leaves is what a verification of everything leaves', async () => {
    const all = await verifyLog(store, trust)
    expect((await since()).verified).toEqual(all.verified)
    expect(parseVerified(formatVerified(all.verified as Verified))).toEqual(all.verified)
  })

  it('an entry changed, missing or left out since is found', async () => {
    store.files.set('tile/entries/274', (store.files.get('tile/entries/274') ?? new Uint8Array(0)).with(90, 1))
    expect((await since()).findings).toMatchObject([{ kind: 'changed' }])
    const forged = memoryStore()
    const log = await openLog(forged, { origin: ORIGIN, signers: [signer] })
    await log.append([...early, ...late.slice(1)])
    await log.publish()
    const { findings } = await verifyLog(forged, { ...trust, since: verified })
    expect(findings).toMatchObject([{ kind: 'writer-gap', reason: 'skipped' }])
  })

  it('with the checkpoint alone a writer may begin at any number, and no more is forgiven', async () => {
    const { checkpoint } = verified
    expect(parseVerified(checkpoint)).toEqual({ checkpoint })
    expect(await since({ since: { checkpoint } })).toMatchObject({ ok: true, from: FIRST, entries: 700 })
  })

  it('a log that is not the one of that checkpoint is forked, one that ends before it truncated', async () => {
    const other = memoryStore()
    const log = await openLog(other, { origin: ORIGIN, signers: [signer] })
    await log.append(early.with(5, leafMaker().event('x')))
    await log.append(late)
    await log.publish()
    const forks = await verifyLog(other, { ...trust, since: verified })
    expect(forks.findings.map(({ kind }) => kind)).toContain('forked')
    expect(forks.verified).toBeUndefined()
    const short = memoryStore()
    const cut = await openLog(short, { origin: ORIGIN, signers: [signer] })
    await cut.append(early.slice(0, 500))
    await cut.publish()
    const { findings, from } = await verifyLog(short, { ...trust, since: verified, now: NOW - (FIRST - 500) * 1000 })
    expect(findings.map(({ kind }) => kind)).toEqual(['truncated'])
    expect(from).toBe(0)
  })

  it('an older checkpoint that the auditor kept is held against the log by its hashes', async () => {
    const older = async (leaves: readonly Uint8Array[]) => {
      const log = await openLog(memoryStore(), { origin: ORIGIN, signers: [signer] })
      await log.append(leaves)
      return log.publish()
    }
    expect(await since({ known: [await older(early.slice(0, 1_000))] })).toMatchObject({ ok: true, from: FIRST })
    const forged = await since({ known: [await older(early.slice(1, 1_001))] })
    expect(forged.findings).toMatchObject([{ kind: 'forked', size: 1_000, path: 'known checkpoint 1' }])
  })

  it('where the hashes before it are not there, everything is read', async () => {
    store.files.delete('tile/2/000.p/1')
    const { from, findings } = await since()
    expect(from).toBe(0)
    expect(findings.map(({ kind }) => kind)).toEqual(['missing'])
  })
})
