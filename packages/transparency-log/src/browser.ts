import { equalBytes, joinBytes } from './bytes.ts'
import { type Checkpoint, parseCheckpoint } from './checkpoint.ts'
import { cosignatureMessage, splitTimestamp } from './cosignature.ts'
import { COSIGNATURE, type KeyText, keyIdInput, parseVerifierKeyText } from './key-text.ts'
import { type NoteSignature, parseNote } from './note.ts'
import { consistencySteps, inclusionSteps } from './proof-steps.ts'
import { parseTlogProof } from './tlog-proof.ts'

/**
 * For the browser: an audit row's proof checked on the reader's own machine, by WebCrypto. The same parsers and the same
 * proof steps as on Node; only the hashing waits for promises.
 */

export { canonicalBytes, canonicalJson } from './canonical-json.ts'
export type { Checkpoint } from './checkpoint.ts'
export { type Leaf, parseLeaf } from './leaf.ts'
export { parseTlogProof, type TlogProof } from './tlog-proof.ts'

/** Whose signatures are believed, as vkeys. */
export type BrowserTrust = {
  readonly origin: string
  readonly logKeys: readonly string[]
  readonly witnesses?: { readonly keys: readonly string[]; readonly threshold: number }
}

/** `by` holds the vkeys whose signatures the checkpoint bears. */
export type BrowserVerdict =
  | { readonly ok: true; readonly index: number; readonly checkpoint: Checkpoint; readonly by: readonly string[] }
  | {
      readonly ok: false
      /** `unsupported`: this browser's WebCrypto has no Ed25519 (Chrome from 137, Firefox from 129, Safari from 17 do). */
      readonly fault: 'malformed' | 'bad-signature' | 'not-enough-witnesses' | 'not-included' | 'unsupported'
    }

/**
 * Whether a proof file shows that `entry` is in the log: signatures, then inclusion. Throws RangeError on a vkey that
 * is none; rejects on nothing else.
 */
export async function checkProof(file: Uint8Array, entry: Uint8Array, trust: BrowserTrust): Promise<BrowserVerdict> {
  const { origin, logKeys, witnesses = { keys: [], threshold: 0 } } = trust
  const parsed = parseTlogProof(file)
  const note = parsed && parseNote(parsed.checkpoint)
  const checkpoint = note && parseCheckpoint(note.text)
  if (parsed === undefined || note === undefined || checkpoint === undefined) return { ok: false, fault: 'malformed' }
  const by: string[] = []
  for (const vkey of [...logKeys, ...witnesses.keys]) {
    const verdict = await verifyLines(note.text, note.signatures, vkey)
    if (verdict === 'unsupported') return { ok: false, fault: 'unsupported' }
    if (verdict === 'invalid') return { ok: false, fault: 'bad-signature' }
    if (verdict === 'valid') by.push(vkey)
  }
  if (checkpoint.origin !== origin || !by.some((vkey) => logKeys.includes(vkey)))
    return { ok: false, fault: 'bad-signature' }
  if (by.filter((vkey) => witnesses.keys.includes(vkey)).length < witnesses.threshold) {
    return { ok: false, fault: 'not-enough-witnesses' }
  }
  const { index, proof } = parsed
  const included = await verifyInclusion(await leafHash(entry), index, checkpoint.size, proof, checkpoint.root)
  return included ? { ok: true, index, checkpoint, by } : { ok: false, fault: 'not-included' }
}

/** Whether this is the text of a key that {@link checkProof} takes. */
export async function isVerifierKey(vkey: string): Promise<boolean> {
  const key = parseVerifierKeyText(vkey)
  return key !== undefined && (await keyIdOf(key)) === key.keyId
}

/** RFC 6962 §2.1: SHA-256(0x00 || leaf). */
export async function leafHash(leaf: Uint8Array): Promise<Uint8Array> {
  return sha256(joinBytes(Uint8Array.of(0), leaf))
}

/** Whether `proof` shows the leaf with hash `leaf` at `index` of a tree (RFC 9162 §2.1.3.2). */
export async function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): Promise<boolean> {
  const steps = inclusionSteps(index, size)
  if (steps?.length !== proof.length) return false
  let at = leaf
  for (const [i, hash] of proof.entries()) at = await (steps[i] === 'left' ? nodeHash(hash, at) : nodeHash(at, hash))
  return equalBytes(at, root)
}

/** Whether `proof` shows that the tree of `newSize` leaves extends that of `oldSize` > 0 (RFC 9162 §2.1.4.2). */
export async function verifyConsistency(
  oldSize: number,
  oldRoot: Uint8Array,
  newSize: number,
  newRoot: Uint8Array,
  proof: readonly Uint8Array[],
): Promise<boolean> {
  if (oldSize === newSize) return proof.length === 0 && equalBytes(oldRoot, newRoot)
  const plan = consistencySteps(oldSize, newSize)
  const [start, ...rest] = plan?.startsFromOldRoot === true ? [oldRoot, ...proof] : proof
  if (plan === undefined || start === undefined || rest.length !== plan.steps.length) return false
  let before = start
  let after = start
  for (const [i, hash] of rest.entries()) {
    if (plan.steps[i] === 'left') before = await nodeHash(hash, before)
    after = await (plan.steps[i] === 'left' ? nodeHash(hash, after) : nodeHash(after, hash))
  }
  return equalBytes(before, oldRoot) && equalBytes(after, newRoot)
}

async function nodeHash(left: Uint8Array, right: Uint8Array): Promise<Uint8Array> {
  return sha256(joinBytes(Uint8Array.of(1), left, right))
}

async function sha256(data: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', data))
}

/** All lines of one key have to verify; `absent` where it has none. */
async function verifyLines(
  text: string,
  lines: readonly NoteSignature[],
  vkey: string,
): Promise<'valid' | 'invalid' | 'absent' | 'unsupported'> {
  const key = parseVerifierKeyText(vkey)
  if (key === undefined || !(await isVerifierKey(vkey))) throw new RangeError('not a verifier key of type Ed25519')
  const own = lines.filter(({ name, keyId }) => name === key.name && keyId === key.keyId)
  if (own.length === 0) return 'absent'
  for (const { signature } of own) {
    const verdict = await verifySignature(key, text, signature)
    if (verdict !== 'valid') return verdict
  }
  return 'valid'
}

async function keyIdOf({ name, type, material }: KeyText): Promise<number> {
  const hash = await sha256(keyIdInput(name, type, material))
  return new DataView(hash.buffer).getUint32(0)
}

async function verifySignature(
  key: KeyText,
  text: string,
  blob: Uint8Array,
): Promise<'valid' | 'invalid' | 'unsupported'> {
  const stamped = key.type === COSIGNATURE ? splitTimestamp(blob) : undefined
  if (key.type === COSIGNATURE && stamped === undefined) return 'invalid'
  const message = stamped === undefined ? new TextEncoder().encode(text) : cosignatureMessage(text, stamped.at)
  const signature = new Uint8Array(stamped?.signature ?? blob)
  try {
    const imported = await crypto.subtle.importKey('raw', key.material, 'Ed25519', false, ['verify'])
    return (await crypto.subtle.verify('Ed25519', imported, signature, message)) ? 'valid' : 'invalid'
  } catch (error) {
    // Anything else is a key that is no point of the curve.
    return error instanceof DOMException && error.name === 'NotSupportedError' ? 'unsupported' : 'invalid'
  }
}
