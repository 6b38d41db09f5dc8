import { beforeEach, describe, expect, it } from 'vitest'
import { auditLeaves, leafMaker, NOW, ORIGIN, signer, trust } from '../test/sample-log.ts'
import type { FindingKind } from './finding.ts'
import { openHandover, signHandover } from './handover.ts'
import { handoverLeaf, parseLeaf } from './leaf.ts'
import { openLog } from './log.ts'
import { memoryStore } from './memory-store.ts'
import { generateNoteKey, type NoteSigner, type NoteVerifier, parseSignerKey } from './note-keys.ts'
import { checkProof, readHandovers } from './proof-file.ts'
import { signNote } from './signed-note.ts'
import { verifyLog } from './verify-log.ts'

/** A log whose key changed twice: from `signer` to `second` to `third`. */

const newKey = (): NoteSigner => parseSignerKey(generateNoteKey(ORIGIN).skey)
const [second, third] = [newKey(), newKey()]
let store: ReturnType<typeof memoryStore>

beforeEach(async () => {
  store = memoryStore()
  const log = await openLog(store, { origin: ORIGIN, signers: [signer] })
  const make = leafMaker()
  let own = 0
  const hand = async (from: NoteSigner, to: NoteSigner) => {
    own += 1
    await log.append([handoverLeaf(signHandover(NOW, ORIGIN, from, to), own, 'keys')])
    await log.handOver(to)
  }
  await log.append(auditLeaves(300, make))
  await log.publish()
  await log.keep()
  await hand(signer, second)
  await log.append(auditLeaves(40, make))
  await log.publish()
  await log.keep()
  await hand(second, third)
  await log.append(auditLeaves(500, make))
  await log.publish()
})

async function found(logKeys: readonly NoteVerifier[]): Promise<FindingKind[]> {
  const { findings } = await verifyLog(store, { ...trust, logKeys })
  return [...new Set(findings.map(({ kind }) => kind))]
}

describe('[R-72] a log whose key changed', () => {
  it.each([
    ['first', signer],
    ['second', second],
    ['third', third],
  ])('is verified by whoever holds its %s key', async (_, { verifier }) => {
    const report = await verifyLog(store, { ...trust, logKeys: [verifier] })
    expect(report).toMatchObject({ ok: true, findings: [], entries: 842, rootsMatched: 5 })
    expect(report.logKeys.map(({ vkey }) => vkey).toSorted()).toEqual(
      [signer, second, third].map((key) => key.verifier.vkey).toSorted(),
    )
  })

  it('leaves a proof of each handover, for who knows an old key and not the log', async () => {
    const handovers = await readHandovers(store)
    expect(handovers).toHaveLength(2)
    for (const [i, { entry, file }] of handovers.entries()) {
      const logKeys = [signer, second, third].slice(i, i + 2).map(({ verifier }) => verifier)
      expect(checkProof(file, entry, { origin: ORIGIN, logKeys })).toMatchObject({ ok: true, by: logKeys })
      expect(parseLeaf(entry)).toMatchObject({ handover: { from: logKeys[0]?.vkey, to: logKeys[1]?.vkey } })
    }
  })

  it('goes on being written by the new key, and not by the old', async () => {
    const more = await openLog(store, { origin: ORIGIN, signers: [third] })
    expect(more.published?.size).toBe(842)
    await expect(openLog(store, { origin: ORIGIN, signers: [signer] })).rejects.toThrow('not to be believed')
  })

  it('a checkpoint that a given-up key signs beyond its time is not believed', async () => {
    const [text = ''] = Buffer.from(store.files.get('checkpoint') ?? [])
      .toString()
      .split('\n\n')
    store.files.set('checkpoint', signNote(`${text}\n`, [signer], 0))
    expect(await found([signer.verifier])).toContain('bad-signature')
    const { findings } = await verifyLog(store, { ...trust, logKeys: [third.verifier] })
    expect(findings).toMatchObject([
      { kind: 'bad-signature', reason: 'it is signed with a key that had been given up' },
    ])
  })

  it('without the checkpoint of the handover the old key leads nowhere', async () => {
    for (const path of store.files.keys()) if (path.startsWith('checkpoints/301')) store.files.delete(path)
    expect(await found([signer.verifier])).toEqual(['bad-signature'])
    expect(await found([signer.verifier, third.verifier])).toEqual([])
  })

  it('a handover that only the new key signed leads nowhere', async () => {
    const thief = newKey()
    const forged = await openLog(store, { origin: ORIGIN, signers: [third] })
    const handover = signHandover(NOW, ORIGIN, third, thief)
    const alone = { ...handover, signatures: [handover.signatures[1], handover.signatures[1]] as const }
    await forged.append([handoverLeaf(alone, 3, 'keys')])
    await forged.handOver(thief)
    const { findings, logKeys } = await verifyLog(store, { ...trust, logKeys: [third.verifier] })
    expect(findings).toMatchObject([{ kind: 'bad-signature', index: 842 }])
    expect(logKeys.map(({ vkey }) => vkey)).not.toContain(thief.verifier.vkey)
  })
})

describe('a handover', () => {
  const handover = signHandover(NOW, ORIGIN, signer, second)

  it('reads back from its leaf', () => {
    const leaf = parseLeaf(handoverLeaf(handover, 1, 'keys'))
    expect(leaf).toEqual({ kind: 'handover', handover, seq: 1, writer: 'keys' })
    expect(openHandover(handover, ORIGIN)).toMatchObject({
      from: { vkey: signer.verifier.vkey },
      to: { vkey: second.verifier.vkey },
    })
  })

  it.each([
    ['another log', handover, 'another.example'],
    ['another time', { ...handover, at: NOW + 1 }, ORIGIN],
    ['another key', { ...handover, to: third.verifier.vkey }, ORIGIN],
    ['no key', { ...handover, to: 'x' }, ORIGIN],
    ['itself', signHandover(NOW, ORIGIN, signer, signer), ORIGIN],
    [
      'signatures the other way round',
      { ...handover, signatures: handover.signatures.toReversed() as [string, string] },
      ORIGIN,
    ],
  ])('of %s is none', (_, one, origin) => {
    expect(openHandover(one, origin)).toBeUndefined()
  })
})
