import { decodeBase64, encodeBase64 } from './base64.ts'
import { equalBytes, joinBytes } from './bytes.ts'
import { parseCheckpoint, parseSize, type TreeHead } from './checkpoint.ts'
import { EMPTY_ROOT } from './merkle-hash.ts'
import { decodeUtf8, formatSignatureLine, type NoteSignature, parseNote, parseSignatureLines } from './note.ts'
import type { NoteSigner, NoteVerifier } from './note-keys.ts'
import { MAX_PROOF_HASHES } from './proof-steps.ts'
import { verifyConsistency } from './proofs.ts'
import { isBy, openNote } from './signed-note.ts'

/** The `add-checkpoint` call between a log and a witness (C2SP tlog-witness), apart from HTTP and storage. */

export type AddCheckpoint = {
  /** Size of the checkpoint the witness cosigned last. */
  readonly oldSize: number
  /** Consistency proof from there; empty from 0. */
  readonly proof: readonly Uint8Array[]
  /** The signed note. */
  readonly checkpoint: Uint8Array
}

/** What the witness knows of a log: whose signatures count, and the last tree it cosigned. */
export type WitnessedLog = { readonly keys: readonly NoteVerifier[]; readonly latest?: TreeHead }

/**
 * The witness' answer. On `accept`, make `head` durable as the log's latest (atomically with the comparison: see
 * tlog-witness on the race) and answer 200 with {@link cosign}; on `refuse`, answer as it says.
 */
export type WitnessDecision =
  | { readonly answer: 'accept'; readonly origin: string; readonly head: TreeHead; readonly text: string }
  | { readonly answer: 'refuse'; readonly status: 400 | 403 | 404 | 422 }
  | { readonly answer: 'refuse'; readonly status: 409; readonly contentType: 'text/x.tlog.size'; readonly body: string }

const encoder = new TextEncoder()

/** The body of the request. */
export function formatAddCheckpoint({ oldSize, proof, checkpoint }: AddCheckpoint): Uint8Array<ArrayBuffer> {
  if (proof.length > MAX_PROOF_HASHES) throw new RangeError('a consistency proof has at most 63 hashes')
  return joinBytes(encoder.encode([`old ${oldSize}`, ...proof.map(encodeBase64), '', ''].join('\n')), checkpoint)
}

/** A request taken apart; `undefined` where it is malformed. */
export function parseAddCheckpoint(body: Uint8Array): AddCheckpoint | undefined {
  const text = decodeUtf8(body)
  const blank = text?.indexOf('\n\n') ?? -1
  if (text === undefined || blank === -1) return undefined
  const [first = '', ...lines] = text.slice(0, blank).split('\n')
  const oldSize = first.startsWith('old ') ? parseSize(first.slice('old '.length)) : undefined
  const proof = lines.map(decodeBase64).filter((hash) => hash?.length === 32) as Uint8Array[]
  if (oldSize === undefined || proof.length !== lines.length || proof.length > MAX_PROOF_HASHES) return undefined
  return { oldSize, proof, checkpoint: encoder.encode(text.slice(blank + 2)) }
}

/** Decides on a request, in the order of tlog-witness. `find` gives what is known of a log by its origin. */
export function considerCheckpoint(
  body: Uint8Array,
  find: (origin: string) => WitnessedLog | undefined,
): WitnessDecision {
  const request = parseAddCheckpoint(body)
  const note = request && parseNote(request.checkpoint)
  const checkpoint = note && parseCheckpoint(note.text)
  if (request === undefined || checkpoint === undefined) return { answer: 'refuse', status: 400 }
  const log = find(checkpoint.origin)
  if (log === undefined) return { answer: 'refuse', status: 404 }
  const opened = openNote(request.checkpoint, log.keys)
  if (!opened.ok) return { answer: 'refuse', status: 403 }
  const { origin, size, root } = checkpoint
  const latest = log.latest ?? { size: 0, root: EMPTY_ROOT }
  if (request.oldSize > size) return { answer: 'refuse', status: 400 }
  const differs = request.oldSize === size && !equalBytes(latest.root, root)
  if (request.oldSize !== latest.size || differs) {
    return { answer: 'refuse', status: 409, contentType: 'text/x.tlog.size', body: `${latest.size}\n` }
  }
  if (!verifyConsistency(latest.size, latest.root, size, root, request.proof)) return { answer: 'refuse', status: 422 }
  return { answer: 'accept', origin, head: { size, root }, text: opened.text }
}

/** The body of the answer 200: a signature line for each of the witness' keys. `at` is in seconds since the epoch. */
export function cosign(text: string, signers: readonly NoteSigner[], at: number): string {
  return signers
    .map((signer) => {
      const { name, keyId } = signer.verifier
      return formatSignatureLine({ name, keyId, signature: signer.sign(text, at) })
    })
    .join('')
}

/**
 * The cosignatures in a witness' answer that are by `keys` and verify for the checkpoint text; others are ignored. Hand
 * them to `TransparencyLog.addCosignatures`.
 */
export function readCosignatures(answer: string, text: string, keys: readonly NoteVerifier[]): NoteSignature[] {
  const lines = parseSignatureLines(answer) ?? []
  return lines.filter((line) => keys.some((key) => isBy(line, key) && key.verify(text, line.signature)))
}
