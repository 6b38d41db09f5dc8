import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { auditLeaves, ORIGIN, sampleLog, signer } from '../test/sample-log.ts'
import { formatCheckpoint, type TreeHead } from './checkpoint.ts'
import { COSIGNATURE } from './key-text.ts'
import { openLog } from './log.ts'
import { generateNoteKey, parseSignerKey } from './note-keys.ts'
import { consistencyProof, treeRoot } from './proofs.ts'
import { openNote, signNote } from './signed-note.ts'
import { tileNodeReader } from './tile-reader.ts'
import {
  considerCheckpoint,
  cosign,
  formatAddCheckpoint,
  parseAddCheckpoint,
  readCosignatures,
  type WitnessedLog,
} from './witness.ts'

/** The example of C2SP tlog-witness. */
const EXAMPLE = `old 20852014
PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=
jrJZDmY8Y7SyJE0MWLpLozkIVMSMZcD5kvuKxPC3swk=
5+pKlUdi2LeF/BcMHBn+Ku6yhPGNCswZZD1X/6QgPd8=
/6WVhPs2CwSsb5rYBH5cjHV/wSmA79abXAwhXw3Kj/0=

example.com/behind-the-sofa
20852163
CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=

\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=
\u2014 example.com/behind-the-sofa opLqBQsREYCgu6xQkYQwJr9fo45a62DN9EdmHXnZdXNqlcVGlCum2Wks+49/V6267UEjw6QUXTS5Rovnzv++qbSzm9Q=
`
const bytes = (text: string): Uint8Array => Buffer.from(text)
const store = await sampleLog(auditLeaves(700))
const read = tileNodeReader(store, 700)
const head = async (size: number): Promise<TreeHead> => ({ size, root: await treeRoot(size, read) })
const sign = ({ size, root }: TreeHead, by = signer): Uint8Array =>
  signNote(formatCheckpoint({ origin: ORIGIN, size, root, extensions: [] }), [by], 0)

async function ask(
  oldSize: number,
  size: number,
  log?: WitnessedLog,
  more: { proof?: Uint8Array[]; note?: Uint8Array } = {},
) {
  const proof = more.proof ?? (await consistencyProof(Math.min(oldSize, size), size, read))
  const body = formatAddCheckpoint({ oldSize, proof, checkpoint: more.note ?? sign(await head(size)) })
  return considerCheckpoint(body, (origin) => (origin === ORIGIN ? log : undefined))
}
const keys = [signer.verifier]

describe('the request', () => {
  it('the example of the specification', () => {
    const request = parseAddCheckpoint(bytes(EXAMPLE))
    expect(request).toMatchObject({ oldSize: 20_852_014 })
    expect(request?.proof).toHaveLength(4)
    expect(Buffer.from(formatAddCheckpoint(request as NonNullable<typeof request>)).toString()).toBe(EXAMPLE)
  })

  it.each([
    ['no old size', EXAMPLE.slice(EXAMPLE.indexOf('\n') + 1)],
    ['a leading zero', EXAMPLE.replace('old 2', 'old 02')],
    ['a short hash', EXAMPLE.replace('PlRNCrwHpqhGrupue0L7gxbjbMiKA9temvuZZDDpkaw=', 'AAAA')],
    ['64 hashes', EXAMPLE.replace(/(\S+=\n)/, '$1'.repeat(61))],
    ['no blank line', EXAMPLE.replaceAll('\n\n', '\n')],
    ['carriage returns', EXAMPLE.replaceAll('\n', '\r\n')],
    ['nothing', ''],
  ])('with %s is refused', (_, text) => {
    expect(parseAddCheckpoint(bytes(text))).toBeUndefined()
    expect(considerCheckpoint(bytes(text), () => ({ keys }))).toEqual({ answer: 'refuse', status: 400 })
  })

  it('random bodies are refused, never a crash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (body) => {
        expect(considerCheckpoint(body, () => ({ keys }))).toEqual({ answer: 'refuse', status: 400 })
      }),
    )
  })
})

describe('the decision', () => {
  it('the first checkpoint, and each that extends the last', async () => {
    expect(await ask(0, 300, { keys })).toMatchObject({ answer: 'accept', origin: ORIGIN, head: { size: 300 } })
    expect(await ask(300, 700, { keys, latest: await head(300) })).toMatchObject({
      answer: 'accept',
      head: { size: 700 },
    })
    expect(await ask(700, 700, { keys, latest: await head(700) })).toMatchObject({
      answer: 'accept',
      head: { size: 700 },
    })
    expect(await ask(0, 0, { keys })).toMatchObject({ answer: 'accept', head: { size: 0 } })
  })

  it('404 for an unknown log, 403 for an unknown key', async () => {
    const stranger = parseSignerKey(generateNoteKey(ORIGIN).skey)
    expect(await ask(0, 300)).toEqual({ answer: 'refuse', status: 404 })
    expect(await ask(0, 300, { keys: [stranger.verifier] })).toEqual({ answer: 'refuse', status: 403 })
    const note = sign(await head(300), stranger)
    expect(await ask(0, 300, { keys }, { note })).toEqual({ answer: 'refuse', status: 403 })
  })

  it('400 for an old size above the new, 409 with the right size for another old size', async () => {
    const latest = await head(500)
    expect(await ask(400, 300, { keys, latest }, { proof: [] })).toEqual({ answer: 'refuse', status: 400 })
    for (const old of [0, 499]) {
      expect(await ask(old, 700, { keys, latest })).toEqual({
        answer: 'refuse',
        status: 409,
        contentType: 'text/x.tlog.size',
        body: '500\n',
      })
    }
  })

  it('409 for another tree of the same size, 422 for one that does not extend', async () => {
    const forged = { size: 500, root: new Uint8Array(32) }
    const latest = await head(500)
    expect(await ask(500, 500, { keys, latest }, { note: sign(forged) })).toMatchObject({ status: 409, body: '500\n' })
    expect(await ask(500, 700, { keys, latest: forged })).toEqual({ answer: 'refuse', status: 422 })
    expect(await ask(500, 700, { keys, latest }, { proof: [] })).toEqual({ answer: 'refuse', status: 422 })
    expect(await ask(0, 700, { keys }, { proof: [latest.root] })).toEqual({ answer: 'refuse', status: 422 })
  })
})

describe('the answer', () => {
  it('goes into the log’s checkpoint, unknown and wrong lines apart', async () => {
    const one = parseSignerKey(generateNoteKey('w1', COSIGNATURE).skey)
    const two = parseSignerKey(generateNoteKey('w2', COSIGNATURE).skey)
    const store = await sampleLog(auditLeaves(3))
    const log = await openLog(store, { origin: ORIGIN, signers: [signer] })
    const published = await log.publish()
    const opened = openNote(published, keys)
    const text = opened.ok ? opened.text : ''
    const answer = cosign(text, [one, two], 1_767_225_600)
    expect(readCosignatures(answer, text, [one.verifier])).toMatchObject([{ name: 'w1' }])
    expect(readCosignatures(answer, `${text}x\n`, [one.verifier])).toEqual([])
    expect(readCosignatures('not a line', text, [one.verifier])).toEqual([])
    await log.addCosignatures(published, readCosignatures(answer, text, [one.verifier, two.verifier]))
    const note = await store.read('checkpoint')
    expect(openNote(note ?? new Uint8Array(0), [...keys, one.verifier, two.verifier])).toMatchObject({
      ok: true,
      by: { length: 3 },
    })
  })
})
