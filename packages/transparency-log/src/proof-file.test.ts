import fc from 'fast-check'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { auditLeaves, ORIGIN, sampleLog, signer, trust } from '../test/sample-log.ts'
import given from '../vectors/signed-notes.json' with { type: 'json' }
import * as browser from './browser.ts'
import { growingBundle } from './entry-bundle.ts'
import { COSIGNATURE } from './key-text.ts'
import { InconsistentLogError } from './log-recovery.ts'
import { leafHash } from './merkle-hash.ts'
import { formatNote, parseNote } from './note.ts'
import { generateNoteKey, parseSignerKey } from './note-keys.ts'
import { checkProof, proveEntry } from './proof-file.ts'
import * as proofs from './proofs.ts'
import { signNote } from './signed-note.ts'
import { TileMissingError, tileNodeReader } from './tile-reader.ts'
import { formatTlogProof, parseTlogProof } from './tlog-proof.ts'
import type { TrustPolicy } from './verify-checkpoints.ts'

const LEAVES = auditLeaves(700)
const witness = parseSignerKey(generateNoteKey('witness.example', COSIGNATURE).skey)
const witnesses = { keys: [witness.verifier], threshold: 1 }

/** The verdict of the browser's checker on the same question, with keys in place of vkeys. */
async function inBrowser(file: Uint8Array, entry: Uint8Array, policy: TrustPolicy) {
  const logKeys = policy.logKeys.map(({ vkey }) => vkey)
  const verdict = await browser.checkProof(file, entry, {
    origin: policy.origin,
    logKeys,
    ...(policy.witnesses && {
      witnesses: { keys: policy.witnesses.keys.map(({ vkey }) => vkey), threshold: policy.witnesses.threshold },
    }),
  })
  return verdict
}

async function bothSay(file: Uint8Array, entry: Uint8Array, policy: TrustPolicy): Promise<string> {
  const node = checkProof(file, entry, policy)
  const page = await inBrowser(file, entry, policy)
  expect(page.ok ? page.index : page.fault).toBe(node.ok ? node.index : node.fault)
  expect(page.ok && [...page.by]).toEqual(node.ok && node.by.map(({ vkey }) => vkey))
  return node.ok ? 'included' : node.fault
}

describe('proof files', () => {
  it('are made for every entry and believed by both checkers', async () => {
    const store = await sampleLog(LEAVES)
    for (const index of [0, 1, 255, 256, 511, 512, 600, 699]) {
      const { entry, file } = await proveEntry(store, trust, index)
      expect(Buffer.from(entry).equals(LEAVES[index] as Uint8Array)).toBe(true)
      expect(parseTlogProof(file)).toMatchObject({ index })
      expect(await bothSay(file, entry, trust)).toBe('included')
      expect(await bothSay(file, LEAVES[(index + 1) % 700] as Uint8Array, trust)).toBe('not-included')
    }
  })

  it('are refused by another origin, another key, or without the witnesses', async () => {
    const store = await sampleLog(LEAVES)
    const { entry, file } = await proveEntry(store, trust, 5)
    const other = parseSignerKey(generateNoteKey(ORIGIN).skey).verifier
    expect(await bothSay(file, entry, { ...trust, origin: 'other' })).toBe('bad-signature')
    expect(await bothSay(file, entry, { ...trust, logKeys: [other] })).toBe('bad-signature')
    expect(await bothSay(file, entry, { ...trust, logKeys: [other, signer.verifier] })).toBe('included')
    expect(await bothSay(file, entry, { ...trust, witnesses })).toBe('not-enough-witnesses')
    const parsed = parseTlogProof(file) as NonNullable<ReturnType<typeof parseTlogProof>>
    const text = parseNote(parsed.checkpoint)?.text ?? ''
    const cosigned = formatTlogProof({ ...parsed, checkpoint: signNote(text, [signer, witness], 1_767_225_600) })
    expect(await bothSay(cosigned, entry, { ...trust, witnesses })).toBe('included')
    const witnessOnly = formatTlogProof({ ...parsed, checkpoint: signNote(text, [witness], 1_767_225_600) })
    expect(await bothSay(witnessOnly, entry, { ...trust, witnesses })).toBe('bad-signature')
  })

  it('are refused when any known key’s signature is wrong, whoever else signed', async () => {
    const { entry, file } = await proveEntry(await sampleLog(LEAVES), trust, 5)
    const parsed = parseTlogProof(file) as NonNullable<ReturnType<typeof parseTlogProof>>
    const note = parseNote(parsed.checkpoint) as NonNullable<ReturnType<typeof parseNote>>
    const forged = { name: witness.verifier.name, keyId: witness.verifier.keyId, signature: new Uint8Array(72) }
    const checkpoint = formatNote({ ...note, signatures: [...note.signatures, forged] })
    const bad = formatTlogProof({ ...parsed, checkpoint })
    expect(await bothSay(bad, entry, { ...trust, witnesses: { ...witnesses, threshold: 0 } })).toBe('bad-signature')
    expect(await bothSay(bad, entry, trust)).toBe('included')
  })

  it('any one byte changed is refused by both, but in what nobody signed', async () => {
    const { entry, file } = await proveEntry(await sampleLog(LEAVES), trust, 300)
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: file.length - 1 }), fc.integer({ min: 1, max: 255 }), async (at, by) => {
        const forged = file.with(at, (file[at] as number) ^ by)
        expect(await bothSay(forged, entry, trust)).not.toBe('included')
      }),
      { numRuns: 300 },
    )
  })

  it('are not made where they would not verify', async () => {
    const store = await sampleLog(LEAVES)
    await expect(proveEntry(store, trust, 700)).rejects.toThrow(RangeError)
    await expect(proveEntry(store, trust, -1)).rejects.toThrow(RangeError)
    await expect(proveEntry(store, trust, 0.5)).rejects.toThrow(RangeError)
    store.files.set('tile/entries/002.p/188', growingBundle(LEAVES.slice(512).with(3, Buffer.from('forged'))).bytes())
    await expect(proveEntry(store, trust, 515)).rejects.toThrow(InconsistentLogError)
    store.files.delete('tile/entries/002.p/188')
    await expect(proveEntry(store, trust, 515)).rejects.toThrow(TileMissingError)
    store.files.delete('checkpoint')
    await expect(proveEntry(store, trust, 5)).rejects.toThrow(InconsistentLogError)
  })
})

describe('the browser’s half', () => {
  afterEach(() => {
    vi.restoreAllMocks()
  })

  it('agrees with Node on hashes, inclusion and consistency, at every size up to 40', async () => {
    const store = await sampleLog(auditLeaves(40))
    const read = tileNodeReader(store, 40)
    const leaves = auditLeaves(40)
    const wrong: string[] = []
    for (let size = 1; size <= 40; size++) {
      const root = await proofs.treeRoot(size, read)
      for (let old = 1; old <= size; old++) {
        const oldRoot = await proofs.treeRoot(old, read)
        const extension = await proofs.consistencyProof(old, size, read)
        if (!(await browser.verifyConsistency(old, oldRoot, size, root, extension))) wrong.push(`${old} to ${size}`)
        if (await browser.verifyConsistency(old, root, size, oldRoot, [...extension, root])) wrong.push('forged')
        const proof = await proofs.inclusionProof(old - 1, size, read)
        const leaf = await browser.leafHash(leaves[old - 1] as Uint8Array)
        if (!(await browser.verifyInclusion(leaf, old - 1, size, proof, root))) wrong.push(`${old - 1} in ${size}`)
        if ((await browser.verifyInclusion(root, old - 1, size, proof, leaf)) !== (size === 1))
          wrong.push('forged leaf')
      }
    }
    expect(wrong).toEqual([])
    expect(Buffer.from(await browser.leafHash(LEAVES[0] as Uint8Array))).toEqual(
      Buffer.from(leafHash(LEAVES[0] as Uint8Array)),
    )
  })

  it('believes the published cosigned checkpoint, key by key', async () => {
    const arche = given.notes.find(({ source }) => source === 'arche')
    const [log = '', ...others] = arche?.keys ?? []
    const file = formatTlogProof({ index: 0, proof: [], checkpoint: Buffer.from(arche?.note ?? '') })
    const origin = 'arche2025h1.staging.ct.transparency.dev'
    const witnessed = { origin, logKeys: [log], witnesses: { keys: others, threshold: 4 } }
    // The signatures are right, so what is left to fail is the inclusion of an entry nobody has here.
    expect(await browser.checkProof(file, new Uint8Array(1), witnessed)).toEqual({ ok: false, fault: 'not-included' })
  })

  it('says so where the browser has no Ed25519', async () => {
    vi.spyOn(crypto.subtle, 'importKey').mockRejectedValue(new DOMException('no', 'NotSupportedError'))
    const { entry, file } = await proveEntry(await sampleLog(LEAVES), trust, 5)
    expect(await inBrowser(file, entry, trust)).toEqual({ ok: false, fault: 'unsupported' })
  })

  it('refuses a key that is none', async () => {
    const { entry, file } = await proveEntry(await sampleLog(LEAVES), trust, 5)
    const bad = signer.verifier.vkey.replace(/\+[0-9a-f]{8}\+/, '+00000000+')
    await expect(browser.checkProof(file, entry, { origin: ORIGIN, logKeys: [bad] })).rejects.toThrow(RangeError)
  })
})
