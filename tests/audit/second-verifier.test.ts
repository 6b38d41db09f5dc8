import { hash } from 'node:crypto'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { directoryStore } from '../../packages/transparency-log/src/directory-store.ts'
import {
  COSIGNATURE,
  cosign,
  eventLeaf,
  generateNoteKey,
  openLog,
  openNote,
  parseSignerKey,
  proveEntry,
  readCosignatures,
  tileNodeReader,
  treeRoot,
  verifyLog,
} from '../../packages/transparency-log/src/index.ts'
import reference from '../../packages/transparency-log/vectors/rfc6962-tree.json' with { type: 'json' }
import published from '../../packages/transparency-log/vectors/signed-notes.json' with { type: 'json' }
import { readEntries, readNote, type Seen, treeHash, verifyFolder, verifyProof } from './second-verifier.ts'

/** Issue 5: an independent reading of the format agrees with ours on roots, signatures and cosignatures, and on what it refuses. */

const ORIGIN = 'wardline/second/audit'
const WRITER = '0b7f3c3e-6f0e-4b7c-9a63-3a1d2b8f0c11'
const key = generateNoteKey(ORIGIN)
const witnesses = ['w1.example', 'w2.example'].map((name) => generateNoteKey(name, COSIGNATURE))
const vkeys = [key.vkey, ...witnesses.map(({ vkey }) => vkey)]
const at = 1_767_225_600
let root: string

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'wardline-second-'))
})
afterAll(() => rmSync(root, { recursive: true, force: true }))

/** A log of `size` entries, cosigned, written by the product's package. */
async function writeLog(size: number): Promise<string> {
  const dir = join(root, `log-${size}`)
  const log = await openLog(directoryStore(dir), { origin: ORIGIN, signers: [parseSignerKey(key.skey)] })
  const leaf = (_: unknown, i: number) => eventLeaf(Buffer.from(`{"action":"patient.read","n":${i}}`), i + 1, WRITER)
  await log.append(Array.from({ length: size }, leaf))
  const published = await log.publish()
  const note = openNote(published, [parseSignerKey(key.skey).verifier])
  const text = note.ok ? note.text : ''
  const signers = witnesses.map(({ skey }) => parseSignerKey(skey))
  const keys = signers.map(({ verifier }) => verifier)
  await log.addCosignatures(published, readCosignatures(cosign(text, signers, at), text, keys))
  return dir
}

async function ours(dir: string) {
  const [log, ...keys] = vkeys.map((_, i) => parseSignerKey((i === 0 ? key : witnesses[i - 1])?.skey ?? '').verifier)
  return verifyLog(directoryStore(dir), {
    origin: ORIGIN,
    logKeys: log === undefined ? [] : [log],
    witnesses: { keys, threshold: 2 },
    now: Date.now(),
  })
}

describe('the second verifier', () => {
  it('imports nothing of ours', () => {
    const source = readFileSync(fileURLToPath(new URL('./second-verifier.ts', import.meta.url)), 'utf8')
    const imports = [...source.matchAll(/^import .* from '(.*)'$/gm)].map(([, from]) => from)
    expect(imports).toEqual(['node:crypto', 'node:fs', 'node:path'])
    expect(source.split('\n').length).toBeLessThan(150)
  })

  it.each([1, 2, 3, 255, 256, 257, 511, 1_000, 66_000])(
    '[R-72] agrees on root, tiles, signature and cosignatures of %i entries',
    { timeout: 600_000 },
    async (size) => {
      const dir = await writeLog(size)
      const seen = verifyFolder(dir, vkeys)
      const report = await ours(dir)
      expect(report).toMatchObject({ ok: true, findings: [], entries: size })
      expect(seen).toEqual({
        origin: ORIGIN,
        size,
        root: Buffer.from(report.head?.root ?? []).toString('base64'),
        signedBy: [ORIGIN],
        cosignedBy: witnesses.map(({ vkey }) => ({ name: vkey.slice(0, vkey.indexOf('+')), at })),
      } satisfies Seen)
    },
  )

  it('agrees on the root of every size on the way there', async () => {
    const dir = await writeLog(700)
    const leaves = readEntries(dir, 700).map(hashOf)
    const read = tileNodeReader(directoryStore(dir), 700)
    for (let size = 0; size <= 700; size += 7) {
      expect(treeHash(leaves.slice(0, size)).toString('hex'), String(size)).toBe(
        Buffer.from(await treeRoot(size, read)).toString('hex'),
      )
    }
  })

  it('agrees on proofs of single entries', async () => {
    const dir = join(root, 'log-1000')
    const trust = { origin: ORIGIN, logKeys: [parseSignerKey(key.skey).verifier] }
    for (const index of [0, 1, 255, 256, 700, 999]) {
      const { entry, file } = await proveEntry(directoryStore(dir), trust, index)
      const proof = Buffer.from(file).toString()
      expect(verifyProof(proof, entry, vkeys)).toMatchObject({ index, size: 1_000, signedBy: [ORIGIN] })
      expect(() => verifyProof(proof, Buffer.from('{}'), vkeys)).toThrow()
    }
  })

  it('refuses what ours refuses', async () => {
    for (const file of ['checkpoint', 'tile/entries/001', 'tile/0/002', 'tile/1/000.p/3']) {
      const path = join(root, 'log-1000', file)
      const before = readFileSync(path)
      const changed = Buffer.from(before)
      changed[50] = (changed[50] ?? 0) ^ 1
      chmodSync(path, 0o644)
      writeFileSync(path, changed)
      expect(() => verifyFolder(join(root, 'log-1000'), vkeys), file).toThrow()
      expect((await ours(join(root, 'log-1000'))).ok, file).toBe(false)
      writeFileSync(path, before)
    }
    expect(() => verifyFolder(join(root, 'log-1000'), [generateNoteKey(ORIGIN).vkey])).toThrow('no known key')
  })

  it.each(published.notes.filter(({ keys }) => keys.length > 0))(
    'holds the notes that others have published, from $source: every signature and cosignature, and none of a changed text',
    ({ note, keys }) => {
      const names = keys.map((vkey) => vkey.slice(0, vkey.indexOf('+')))
      const { signedBy, cosignedBy } = readNote(note, keys)
      expect([...signedBy, ...cosignedBy.map(({ name }) => name)]).toEqual(names)
      for (const vkey of keys) expect(() => readNote(`X${note}`, [vkey])).toThrow('a wrong signature')
      const [first = ''] = keys
      expect(() => readNote(note, [first.replace(/\+[0-9a-f]{8}\+/, '+00000000+')])).toThrow('a key id')
    },
  )

  it('computes the roots that others have published (RFC 6962, Certificate Transparency’s tree of eight leaves)', () => {
    const leaves = reference.leaves.map((leaf) => hashOf(Buffer.from(leaf, 'hex')))
    expect(treeHash([]).toString('hex')).toBe(reference.emptyRoot)
    const roots = leaves.map((_, n) => treeHash(leaves.slice(0, n + 1)).toString('hex'))
    expect(roots).toEqual(reference.roots)
  })

  it('reads the example of C2SP tlog-cosignature', () => {
    expect(readNote(published.cosignatureExample.note, [])).toMatchObject({
      origin: 'example.com/behind-the-sofa',
      size: 20_852_163,
    })
  })
})

function hashOf(entry: Buffer): Buffer {
  return hash('sha256', Buffer.concat([Buffer.of(0), entry]), 'buffer')
}
