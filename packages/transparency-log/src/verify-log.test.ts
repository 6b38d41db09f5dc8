import { describe, expect, it } from 'vitest'
import { auditLeaves, leafMaker, NOW, ORIGIN, sampleLog, signer, trust } from '../test/sample-log.ts'
import { joinBytes } from './bytes.ts'
import { formatCheckpoint } from './checkpoint.ts'
import { decodeBundle, growingBundle } from './entry-bundle.ts'
import { describeFinding, type Finding, type FindingKind } from './finding.ts'
import { COSIGNATURE } from './key-text.ts'
import { leafHash } from './merkle-hash.ts'
import { parseNote } from './note.ts'
import { generateNoteKey, parseSignerKey } from './note-keys.ts'
import { signNote } from './signed-note.ts'
import { verifyLog } from './verify-log.ts'

const LEAVES = auditLeaves(700)
const KEPT = [100, 300, 512]
type Store = Awaited<ReturnType<typeof sampleLog>>

async function verify(store: Store, more: Partial<typeof trust> = {}): Promise<readonly Finding[]> {
  const report = await verifyLog(store, { ...trust, ...more })
  expect(report.ok).toBe(report.findings.length === 0)
  for (const finding of report.findings) expect(describeFinding(finding)).toMatch(/^[^\n]{20,}\.$/)
  return report.findings
}
const kinds = (findings: readonly Finding[]): FindingKind[] => [...new Set(findings.map(({ kind }) => kind))]

/** Rewrites the entries of a bundle. */
function rewrite(store: Store, path: string, change: (entries: Uint8Array[]) => Uint8Array[]): void {
  store.files.set(path, growingBundle(change(decodeBundle(store.files.get(path) as Uint8Array) ?? [])).bytes())
}
/** Makes the level-0 tile fit its rewritten bundle, as someone without the key could. */
function rehash(store: Store, bundle: string): void {
  const entries = decodeBundle(store.files.get(bundle) as Uint8Array) ?? []
  store.files.set(bundle.replace('entries', '0'), joinBytes(...entries.map(leafHash)))
}
function flip(store: Store, path: string, at = 3): void {
  const bytes = Uint8Array.from(store.files.get(path) as Uint8Array)
  bytes[at] = (bytes[at] as number) ^ 1
  store.files.set(path, bytes)
}
const tampered = (entry: Uint8Array): Uint8Array =>
  Buffer.from(Buffer.from(entry).toString().replace('allowed', 'refused'))

describe('an untouched log', () => {
  it('has no finding, and every signed root is recomputed', async () => {
    const progress: number[] = []
    const report = await verifyLog(await sampleLog(LEAVES, KEPT), {
      ...trust,
      onProgress: ({ entries, of }) => progress.push(entries, of),
    })
    expect(report).toMatchObject({
      ok: true,
      findings: [],
      findingsDropped: 0,
      entries: 700,
      writers: 4,
      rootsMatched: 4,
    })
    expect(report).toMatchObject({ voidCount: 0, lastHeartbeatAt: NOW, head: { size: 700, path: 'checkpoint' } })
    expect(progress).toEqual([700, 700])
  })

  it.each([0, 1, 255, 256, 257, 512, 513])('of %i entries', async (size) => {
    const leaves = size === 0 ? [] : auditLeaves(size)
    const { findings, entries } = await verifyLog(await sampleLog(leaves), { ...trust, maxHeartbeatAgeMs: 1e12 })
    expect(findings).toEqual(size === 0 ? [{ kind: 'stale', of: 'heartbeat', now: NOW }] : [])
    expect(entries).toBe(size)
  })

  it('whose partial tiles were dropped where they may be', async () => {
    const store = await sampleLog(LEAVES, KEPT)
    for (const path of store.files.keys())
      if (/\/00[01]\.p\//.test(path) && !path.startsWith('tile/1')) store.files.delete(path)
    expect(await verify(store)).toEqual([])
  })

  it('can be stopped', async () => {
    const signal = AbortSignal.abort()
    await expect(verifyLog(await sampleLog(LEAVES), { ...trust, signal })).rejects.toThrow(/aborted/)
  })
})

describe('tampering by the owner of the files, without the key', () => {
  it.each(['tile/entries/000', 'tile/entries/001', 'tile/entries/002.p/188'])(
    'changed: an entry of %s',
    async (path) => {
      const store = await sampleLog(LEAVES, KEPT)
      const first = path.endsWith('000') ? 0 : path.endsWith('001') ? 256 : 512
      rewrite(store, path, (entries) => entries.with(7, tampered(entries[7] as Uint8Array)))
      expect(await verify(store)).toEqual([{ kind: 'changed', what: 'leaf', path, from: first + 7, to: first + 8 }])
    },
  )

  it('changed: neighbours are one finding', async () => {
    const store = await sampleLog(LEAVES)
    rewrite(store, 'tile/entries/001', (entries) =>
      entries.map((entry, i) => (i > 9 && i < 20 ? tampered(entry) : entry)),
    )
    expect(await verify(store)).toEqual([
      { kind: 'changed', what: 'leaf', path: 'tile/entries/001', from: 266, to: 276 },
    ])
  })

  it.each(['tile/0/000', 'tile/0/001', 'tile/0/002.p/188'])('changed: a hash of %s', async (path) => {
    const store = await sampleLog(LEAVES, KEPT)
    flip(store, path)
    expect(await verify(store)).toMatchObject([{ kind: 'changed', what: 'tile', path }])
  })

  it('changed: a hash of an upper tile', async () => {
    const store = await sampleLog(LEAVES, KEPT)
    flip(store, 'tile/1/000.p/2', 40)
    expect(await verify(store)).toEqual([{ kind: 'changed', what: 'tile', path: 'tile/1/000.p/2', from: 256, to: 512 }])
  })

  it('changed: an entry and its tile, and everything above made to fit', async () => {
    const leaves = LEAVES.with(400, tampered(LEAVES[400] as Uint8Array))
    const honest = await sampleLog(LEAVES, KEPT)
    const store = await sampleLog(leaves, KEPT)
    for (const path of ['checkpoint', 'checkpoints/100', 'checkpoints/300', 'checkpoints/512']) {
      store.files.set(path, honest.files.get(path) as Uint8Array)
    }
    expect(await verify(store)).toEqual([
      { kind: 'changed', what: 'root', path: 'checkpoints/512', from: 300, to: 512 },
    ])
  })

  it('changed: an entry and its tile only', async () => {
    const store = await sampleLog(LEAVES, KEPT)
    rewrite(store, 'tile/entries/001', (entries) => entries.with(7, tampered(entries[7] as Uint8Array)))
    rehash(store, 'tile/entries/001')
    expect(await verify(store)).toEqual([
      { kind: 'changed', what: 'tile', path: 'tile/1/000.p/2', from: 256, to: 512 },
      { kind: 'changed', what: 'root', path: 'checkpoints/300', from: 100, to: 300 },
    ])
  })

  it('changed: an entry inserted', async () => {
    const store = await sampleLog(LEAVES, KEPT)
    const forged = leafMaker().event('lane-a')
    rewrite(store, 'tile/entries/002.p/188', (entries) => entries.toSpliced(5, 0, forged))
    expect(await verify(store)).toMatchObject([{ kind: 'changed', what: 'inserted', from: 517 }])
    rewrite(store, 'tile/entries/002.p/188', (entries) => [...entries.toSpliced(5, 1), forged])
    expect(await verify(store)).toMatchObject([{ kind: 'changed', what: 'inserted', from: 700 }])
  })

  it('changed: a bundle that holds more bytes than entries, or entries of other lengths', async () => {
    const store = await sampleLog(LEAVES)
    const whole = store.files.get('tile/entries/001') as Uint8Array
    store.files.set('tile/entries/001', joinBytes(whole, Uint8Array.of(0)))
    expect(await verify(store)).toMatchObject([{ kind: 'changed', what: 'inserted', from: 512 }])
    store.files.set('tile/entries/001', whole)
    flip(store, 'tile/entries/001', 1)
    expect(kinds(await verify(store))).toContain('changed')
  })

  it('missing: an entry', async () => {
    const store = await sampleLog(LEAVES, KEPT)
    rewrite(store, 'tile/entries/000', (entries) => entries.toSpliced(30, 2))
    expect(await verify(store)).toEqual([{ kind: 'missing', what: 'leaf', path: 'tile/entries/000', from: 30, to: 32 }])
    rewrite(store, 'tile/entries/000', (entries) => entries.slice(0, 200))
    expect(await verify(store)).toMatchObject([
      { kind: 'missing', from: 30 },
      { kind: 'missing', from: 202, to: 256 },
    ])
  })

  it('missing: a bundle, a tile, an upper tile', async () => {
    for (const [path, what] of [
      ['tile/entries/001', 'bundle'],
      ['tile/0/001', 'tile'],
      ['tile/1/000.p/2', 'tile'],
      ['tile/0/002.p/188', 'tile'],
    ] as const) {
      const store = await sampleLog(LEAVES, KEPT)
      store.files.delete(path)
      expect(await verify(store)).toMatchObject([{ kind: 'missing', what, path }])
    }
  })

  it('missing: a bundle and its tile; the tile above vouches for the rest', async () => {
    const store = await sampleLog(LEAVES, KEPT)
    store.files.delete('tile/entries/000')
    store.files.delete('tile/0/000')
    const report = await verifyLog(store, trust)
    expect(report.findings).toMatchObject([{ what: 'tile' }, { what: 'bundle' }])
    expect(report.rootsMatched).toBe(3)
  })

  it('missing: the checkpoint; a kept one takes its place', async () => {
    const store = await sampleLog(LEAVES, KEPT)
    store.files.delete('checkpoint')
    const report = await verifyLog(store, { ...trust, maxHeartbeatAgeMs: 1e12 })
    expect(report.findings).toMatchObject([{ kind: 'missing', what: 'checkpoint' }])
    expect(report.head?.size).toBe(512)
  })

  it('missing: everything', async () => {
    const store = await sampleLog([])
    store.files.clear()
    expect(await verify(store)).toEqual([{ kind: 'missing', what: 'checkpoint', path: 'checkpoint', from: 0, to: 0 }])
  })

  it('reordered: entries of one bundle', async () => {
    const store = await sampleLog(LEAVES, KEPT)
    rewrite(store, 'tile/entries/000', (entries) =>
      entries.with(3, entries[9] as Uint8Array).with(9, entries[3] as Uint8Array),
    )
    expect(await verify(store)).toEqual([
      { kind: 'reordered', from: 3, to: 4, belongsAt: 9, path: 'tile/entries/000' },
      { kind: 'reordered', from: 9, to: 10, belongsAt: 3, path: 'tile/entries/000' },
    ])
  })

  it('reordered: two bundles swapped', async () => {
    const store = await sampleLog(LEAVES, KEPT)
    const [a, b] = ['tile/entries/000', 'tile/entries/001'].map((path) => store.files.get(path) as Uint8Array)
    store.files.set('tile/entries/000', b as Uint8Array)
    store.files.set('tile/entries/001', a as Uint8Array)
    expect(await verify(store)).toEqual([
      { kind: 'reordered', from: 0, to: 256, belongsAt: 256, path: 'tile/entries/000' },
      { kind: 'reordered', from: 256, to: 512, belongsAt: 0, path: 'tile/entries/001' },
    ])
  })

  it('reordered: with every hash made to fit, the writer’s numbers and the root tell', async () => {
    const honest = await sampleLog(LEAVES, KEPT)
    const swapped = LEAVES.with(400, LEAVES[403] as Uint8Array).with(403, LEAVES[400] as Uint8Array)
    const store = await sampleLog(swapped, KEPT)
    for (const path of ['checkpoint', 'checkpoints/512']) store.files.set(path, honest.files.get(path) as Uint8Array)
    expect(await verify(store)).toMatchObject([
      { kind: 'changed', what: 'root', from: 300, to: 512 },
      { kind: 'reordered', from: 403, to: 404 },
    ])
  })

  it('truncated: the last entries, the last bundle, the last files', async () => {
    const path = 'tile/entries/002.p/188'
    const short = await sampleLog(LEAVES, KEPT)
    rewrite(short, path, (entries) => entries.slice(0, 100))
    expect(await verify(short)).toMatchObject([{ kind: 'truncated', size: 612, expected: 700 }])

    const cut = await sampleLog(LEAVES, KEPT)
    cut.files.set(path, (cut.files.get(path) as Uint8Array).subarray(0, -10))
    expect(await verify(cut)).toMatchObject([{ kind: 'truncated', size: 699, expected: 700 }])

    const gone = await sampleLog(LEAVES, KEPT)
    for (const file of gone.files.keys()) if (/tile\/(entries|0)\/00[12]/.test(file)) gone.files.delete(file)
    expect(kinds(await verify(gone))).toEqual(['truncated', 'missing', 'stale'])
  })

  it('truncated: yesterday’s checkpoint put back, with a newer one kept', async () => {
    const store = await sampleLog(LEAVES, KEPT)
    store.files.set('checkpoint', store.files.get('checkpoints/300') as Uint8Array)
    expect(await verify(store)).toMatchObject([
      { kind: 'truncated', size: 300, expected: 512, path: 'checkpoints/512' },
      { kind: 'stale' },
    ])
  })

  it('bad signature: each line of a checkpoint altered', async () => {
    for (const at of [0, ORIGIN.length + 1, ORIGIN.length + 6, -5]) {
      const store = await sampleLog(LEAVES)
      flip(store, 'checkpoint', at < 0 ? (store.files.get('checkpoint')?.length ?? 0) + at : at)
      expect(kinds(await verify(store))).toEqual(['bad-signature'])
    }
  })

  it('bad signature: a kept checkpoint altered, of another log, or under another size', async () => {
    const store = await sampleLog(LEAVES, KEPT)
    store.files.set('checkpoints/200', store.files.get('checkpoints/300') as Uint8Array)
    flip(store, 'checkpoints/100', 30)
    const text = formatCheckpoint({ origin: 'other', size: 512, root: new Uint8Array(32), extensions: [] })
    store.files.set('checkpoints/512', signNote(text, [signer], 0))
    store.files.set('checkpoints/513', signNote('not a checkpoint\n', [signer], 0))
    const findings = await verify(store)
    expect(findings.map((finding) => finding.kind === 'bad-signature' && [finding.path, finding.reason])).toEqual([
      ['checkpoints/100', 'a signature is wrong'],
      ['checkpoints/512', 'it is of another log'],
      ['checkpoints/200', 'it is signed for 300 entries'],
      ['checkpoints/513', 'it is not a checkpoint'],
    ])
  })
})

describe('tampering with a stolen key', () => {
  const rewritten = LEAVES.with(400, tampered(LEAVES[400] as Uint8Array))

  it('forked: a kept checkpoint the thief forgot', async () => {
    const honest = await sampleLog(LEAVES, KEPT)
    const store = await sampleLog(rewritten, [100, 300])
    store.files.set('checkpoints/512', honest.files.get('checkpoints/512') as Uint8Array)
    expect(await verify(store)).toEqual([{ kind: 'forked', size: 512, path: 'checkpoints/512' }])
  })

  it('forked: a checkpoint the auditor kept', async () => {
    const honest = await sampleLog(LEAVES, KEPT)
    const known = [honest.files.get('checkpoint') as Uint8Array]
    expect(await verify(await sampleLog(rewritten, KEPT), { known })).toEqual([
      { kind: 'forked', size: 700, path: 'known checkpoint 1' },
    ])
    expect(kinds(await verify(await sampleLog(rewritten, [...KEPT, 699]), { known }))).toEqual(['forked'])
    expect(await verify(honest, { known })).toEqual([])
  })

  it('truncated: yesterday’s backup, and the auditor’s checkpoint of today', async () => {
    const known = [(await sampleLog(LEAVES)).files.get('checkpoint') as Uint8Array]
    const store = await sampleLog(LEAVES.slice(0, 600))
    expect(await verify(store, { known })).toMatchObject([
      { kind: 'truncated', size: 600, expected: 700, path: 'known checkpoint 1' },
    ])
  })

  it('bad signature: without the witness', async () => {
    const witness = parseSignerKey(generateNoteKey('witness.example', COSIGNATURE).skey)
    const witnesses = { keys: [witness.verifier], threshold: 1 }
    const store = await sampleLog(LEAVES)
    expect(await verify(store, { witnesses })).toMatchObject([
      { kind: 'bad-signature', path: 'checkpoint', reason: '0 of the 1 witnesses it needs have cosigned it' },
    ])
    const note = parseNote(store.files.get('checkpoint') as Uint8Array)
    store.files.set('checkpoint', signNote(note?.text ?? '', [signer, witness], NOW / 1000))
    expect(await verify(store, { witnesses })).toEqual([])
    store.files.set('checkpoint', signNote(note?.text ?? '', [signer, witness], NOW / 1000 - 121))
    expect(await verify(store, { witnesses })).toMatchObject([{ kind: 'stale', of: 'witness' }])
    store.files.set('checkpoint', signNote(note?.text ?? '', [witness], 1000))
    expect(kinds(await verify(store, { witnesses }))).toEqual(['bad-signature'])
  })
})

describe('the writers’ numbers', () => {
  const entry = (make = leafMaker()) => ({ make, end: () => make.heartbeat(NOW) })

  it('a gap is found where it shows', async () => {
    const { make, end } = entry()
    const leaves: Uint8Array[] = [make.event('w'), make.event('w')]
    make.skip('w', 3)
    leaves.push(make.event('w'), end())
    expect(await verify(await sampleLog(leaves))).toEqual([
      { kind: 'writer-gap', index: 2, reason: 'skipped', writer: 'w', expected: 3, found: 6 },
    ])
  })

  it('a writer starts at 1', async () => {
    const { make, end } = entry()
    make.skip('w', 1)
    expect(await verify(await sampleLog([make.event('w'), end()]))).toMatchObject([{ expected: 1, found: 2 }])
  })

  it('a number that comes again', async () => {
    const { make, end } = entry()
    const first = make.event('w')
    expect(await verify(await sampleLog([first, first, end()]))).toMatchObject([
      { kind: 'writer-gap', index: 1, reason: 'repeated', found: 1 },
    ])
  })

  it('numbers in another order', async () => {
    const { make, end } = entry()
    const [a, b, c] = [make.event('w'), make.event('w'), make.event('w')]
    expect(await verify(await sampleLog([c, a, b, end()]))).toMatchObject([
      { kind: 'reordered', from: 1, to: 2 },
      { kind: 'reordered', from: 2 },
    ])
  })

  it('an entry that is not a leaf', async () => {
    const { make, end } = entry()
    for (const text of ['', 'null', '{}', '{"event":{}, "seq":1,"writer":"w"}', '{"event":{},"seq":0,"writer":"w"}']) {
      expect(await verify(await sampleLog([Buffer.from(text)]))).toMatchObject([
        { kind: 'writer-gap', index: 0, reason: 'unreadable' },
        { kind: 'stale' },
      ])
    }
    expect(await verify(await sampleLog([make.event('w'), end()]))).toEqual([])
  })

  it('a gap with a signed void is accepted and listed, before or after it shows', async () => {
    for (const late of [false, true]) {
      const { make, end } = entry()
      const leaves: Uint8Array[] = [make.event('w')]
      const gap = make.skip('w', 2)
      const after = make.event('w')
      const accepted = make.void({ ...gap, at: NOW, reason: 'lost', writer: 'w' })
      leaves.push(...(late ? [after, accepted] : [accepted, after]), end())
      const report = await verifyLog(await sampleLog(leaves), trust)
      expect(report.findings).toEqual([])
      expect(report.voids).toMatchObject([
        { index: late ? 2 : 1, void: { writer: 'w', first: 2, last: 3, reason: 'lost' } },
      ])
    }
  })

  it('a void excuses what it names and no more', async () => {
    const { make, end } = entry()
    const gap = make.skip('w', 5)
    const leaves: Uint8Array[] = [
      make.void({ at: NOW, first: gap.first + 1, last: gap.last - 1, reason: 'lost', writer: 'w' }),
    ]
    leaves.push(make.event('w'), end())
    expect(await verify(await sampleLog(leaves))).toMatchObject([
      { kind: 'writer-gap', expected: 1, found: 2 },
      { kind: 'writer-gap', expected: 5, found: 6 },
    ])
  })

  it('a void of numbers that came is found', async () => {
    const { make, end } = entry()
    const leaves: Uint8Array[] = [
      make.event('w'),
      make.void({ at: NOW, first: 1, last: 1, reason: 'lost', writer: 'w' }),
      end(),
    ]
    expect(await verify(await sampleLog(leaves))).toMatchObject([{ kind: 'writer-gap', reason: 'repeated', index: 1 }])
  })

  it('a void by an unknown key, for another log, or altered, excuses nothing', async () => {
    const stranger = parseSignerKey(generateNoteKey(ORIGIN).skey)
    for (const forge of [
      (make: ReturnType<typeof leafMaker>, first: number) =>
        make.void({ at: NOW, first, last: first, reason: 'lost', writer: 'w' }, stranger),
      (make: ReturnType<typeof leafMaker>, first: number) =>
        make.void({ at: NOW, first, last: first, reason: 'lost', writer: 'w' }, signer, 'other'),
      (make: ReturnType<typeof leafMaker>, first: number) =>
        Buffer.from(
          Buffer.from(make.void({ at: NOW, first, last: first, reason: 'lost', writer: 'w' }))
            .toString()
            .replace('"lost"', '"not-committed"'),
        ),
    ]) {
      const { make, end } = entry()
      const { first } = make.skip('w', 1)
      const findings = await verify(await sampleLog([forge(make, first), make.event('w'), end()]))
      expect(findings).toMatchObject([
        { kind: 'bad-signature', index: 0 },
        { kind: 'writer-gap', expected: 1 },
      ])
    }
  })

  it('void keys can be others than the log’s', async () => {
    const officer = parseSignerKey(generateNoteKey('officer.example').skey)
    const { make, end } = entry()
    const { first } = make.skip('w', 1)
    const leaves: Uint8Array[] = [
      make.void({ at: NOW, first, last: first, reason: 'lost', writer: 'w' }, officer),
      make.event('w'),
      end(),
    ]
    const store = await sampleLog(leaves)
    expect(await verify(store, { voidKeys: [officer.verifier] })).toEqual([])
    expect(kinds(await verify(store))).toEqual(['bad-signature', 'writer-gap'])
  })
})

describe('signs of life', () => {
  it('stale: too old, from the future, or none', async () => {
    const make = leafMaker()
    const old = await sampleLog([make.heartbeat(NOW - 120_000)])
    expect(await verify(old)).toEqual([])
    expect(await verify(old, { now: NOW + 1 })).toEqual([
      { kind: 'stale', of: 'heartbeat', lastAt: NOW - 120_000, now: NOW + 1 },
    ])
    expect(await verify(await sampleLog([leafMaker().heartbeat(NOW + 120_001)]))).toMatchObject([{ kind: 'stale' }])
    expect(await verify(await sampleLog([leafMaker().event('w')]))).toEqual([
      { kind: 'stale', of: 'heartbeat', now: NOW },
    ])
    const { maxHeartbeatAgeMs: _, ...timeless } = trust
    expect((await verifyLog(old, { ...timeless, now: NOW * 2 })).ok).toBe(true)
  })
})

describe('a pruned log', () => {
  it('may lack the bundles before the minimum index, and nothing else', async () => {
    const store = await sampleLog(LEAVES, KEPT)
    store.files.delete('tile/entries/000')
    expect(await verify(store, { minimumIndex: 256 })).toEqual([])
    expect(kinds(await verify(store, { minimumIndex: 255 }))).toEqual(['missing'])
    store.files.delete('tile/entries/001')
    expect(await verify(store, { minimumIndex: 511 })).toMatchObject([{ kind: 'missing', path: 'tile/entries/001' }])
  })
})

describe('a wholly ruined log', () => {
  it('is reported in bounded space', async () => {
    const store = await sampleLog(LEAVES, KEPT)
    rewrite(store, 'tile/entries/000', (entries) => entries.map((entry, i) => (i % 2 === 0 ? tampered(entry) : entry)))
    const report = await verifyLog(store, { ...trust, maxFindings: 10 })
    expect(report.findings).toHaveLength(10)
    expect(report.findingsDropped).toBeGreaterThan(100)
  })
})
