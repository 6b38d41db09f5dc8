import type { AuditEventView, AuditProof } from '@wardline/protocol'
import {
  canonicalBytes,
  eventLeaf,
  generateNoteKey,
  handoverLeaf,
  memoryStore,
  type NoteSigner,
  openLog,
  parseSignerKey,
  proveEntry,
  readHandovers,
  signHandover,
} from '@wardline/transparency-log'
import { expect, test } from 'vitest'
import { type KnownKey, verifyRow } from './proof.ts'

const ORIGIN = 'wardline/test/audit'
const WRITER = '0b7f3c3e-6f0e-4b7c-9a63-3a1d2b8f0c11'
const ACTOR = '0b7f3c3e-6f0e-4b7c-9a63-3a1d2b8f0c12'
const AT = '2026-11-22T02:00:00.000Z'
const row: AuditEventView = {
  writer: WRITER,
  seq: 3,
  at: AT,
  action: 'message.post',
  outcome: 'allowed',
  reason: 'care-team',
  actor: { id: ACTOR, displayName: 'Astrid Lind' },
  session: null,
  device: null,
  connection: null,
  address: '10.0.0.1',
  origin: null,
  resource: { kind: 'message', id: ACTOR, name: null },
  also: [{ kind: 'channel', id: WRITER, name: null }],
  patient: null,
  count: 2,
  sequence: null,
  until: null,
  index: 2,
}
const memory = (vkey: string | null = null): KnownKey & { kept: string | null } => ({
  kept: vkey,
  get() {
    return this.kept
  },
  set(key) {
    this.kept = key
  },
})

async function proofOf(
  changed: Record<string, unknown> = {},
  skey = generateNoteKey(ORIGIN).skey,
): Promise<AuditProof> {
  const signer = parseSignerKey(skey)
  const store = memoryStore()
  const log = await openLog(store, { origin: ORIGIN, signers: [signer] })
  const about = { action: 'message.post', outcome: 'allowed', reason: 'care-team', actor: ACTOR, address: '10.0.0.1' }
  const event = canonicalBytes({ ...about, at: AT, channel: WRITER, count: 2, message: ACTOR, v: 1, ...changed })
  await log.append([1, 2, 3, 4].map((seq) => eventLeaf(event, seq, WRITER)))
  await log.publish()
  const { entry, file } = await proveEntry(store, { origin: ORIGIN, logKeys: [signer.verifier] }, 2)
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
  return { index: 2, entry: text(entry), proof: text(file), origin: ORIGIN, vkey: signer.verifier.vkey }
}

test('a row that the log holds is verified, and the key is remembered', async () => {
  const proof = await proofOf()
  const known = memory()
  expect(await verifyRow(row, proof, known)).toEqual({ ok: true, size: 4, isFirst: true })
  expect(await verifyRow(row, proof, known)).toMatchObject({ isFirst: false })
  expect(known.kept).toBe(proof.vkey)
})

test.each<[string, AuditEventView]>([
  ['outcome', { ...row, outcome: 'refused' }],
  ['time', { ...row, at: '2026-11-22T03:00:00.000Z' }],
  ['person', { ...row, actor: { id: WRITER, displayName: null } }],
  ['address', { ...row, address: null }],
  ['what', { ...row, resource: { kind: 'message', id: WRITER, name: null } }],
  ['channel', { ...row, also: [] }],
  ['count', { ...row, count: null }],
  ['end', { ...row, until: AT }],
  ['number', { ...row, seq: 4 }],
  ['place', { ...row, index: 1 }],
])('a row with another %s than the log has is not', async (_, shown) => {
  expect(await verifyRow(shown, await proofOf(), memory())).toEqual({ ok: false, fault: 'other-entry' })
})

test('an entry that is not in the tree, a proof that is none, and another key are told apart', async () => {
  const proof = await proofOf()
  const forged = { ...proof, entry: proof.entry.replace('allowed', 'refused') }
  expect(await verifyRow(row, forged, memory())).toEqual({ ok: false, fault: 'not-included' })
  expect(await verifyRow(row, { ...proof, proof: 'x' }, memory())).toEqual({ ok: false, fault: 'malformed' })
  const known = memory()
  await verifyRow(row, proof, known)
  expect(await verifyRow(row, await proofOf(), known)).toEqual({ ok: false, fault: 'other-key' })
  expect(known.kept).toBe(proof.vkey)
})

test('a key that the log itself leads to is believed, and known from then on; one that it does not lead to is not', async () => {
  const newKey = () => parseSignerKey(generateNoteKey(ORIGIN).skey)
  const [first, second, thief] = [newKey(), newKey(), newKey()] as const
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)
  async function proofAfter(from: NoteSigner, to: NoteSigner): Promise<AuditProof> {
    const store = memoryStore()
    const log = await openLog(store, { origin: ORIGIN, signers: [from] })
    const about = { action: 'message.post', outcome: 'allowed', reason: 'care-team', actor: ACTOR, address: '10.0.0.1' }
    const event = canonicalBytes({ ...about, at: AT, channel: WRITER, count: 2, message: ACTOR, v: 1 })
    await log.append([1, 2, 3].map((seq) => eventLeaf(event, seq, WRITER)))
    await log.append([handoverLeaf(signHandover(0, ORIGIN, from, to), 1, 'sequencer')])
    await log.handOver(to)
    await log.append([eventLeaf(event, 4, WRITER)])
    await log.publish()
    const trust = { origin: ORIGIN, logKeys: [to.verifier] }
    const { entry, file } = await proveEntry(store, trust, 2)
    const handovers = (await readHandovers(store)).map((one) => ({ entry: text(one.entry), proof: text(one.file) }))
    return {
      index: 2,
      entry: text(entry),
      proof: text(file),
      origin: ORIGIN,
      vkey: to.verifier.vkey,
      handovers,
    }
  }
  const known = memory(first.verifier.vkey)
  expect(await verifyRow(row, await proofAfter(first, second), known)).toEqual({ ok: true, size: 5, isFirst: false })
  expect(known.kept).toBe(second.verifier.vkey)
  expect(await verifyRow(row, await proofAfter(thief, second), memory(first.verifier.vkey))).toMatchObject({
    fault: 'other-key',
  })
  const forged = await proofAfter(first, thief)
  const swapped = { ...forged, handovers: (await proofAfter(first, second)).handovers }
  expect(await verifyRow(row, swapped, memory(first.verifier.vkey))).toMatchObject({ fault: 'other-key' })
})
