import { decodeBase64, encodeBase64 } from './base64.ts'
import { joinBytes } from './bytes.ts'
import { parseSize } from './checkpoint.ts'
import { decodeUtf8 } from './note.ts'
import { MAX_PROOF_HASHES } from './proof-steps.ts'

/** Proof files (C2SP tlog-proof): an index, an inclusion proof and a signed checkpoint, in one text. For Node and the browser. */

export type TlogProof = {
  /** Opaque to this package, and signed by nobody: never to be believed. */
  readonly extra?: Uint8Array
  readonly index: number
  /** From the leaf's sibling up to the root's child. */
  readonly proof: readonly Uint8Array[]
  /** The signed note, verbatim. */
  readonly checkpoint: Uint8Array
}

const FIRST_LINE = 'c2sp.org/tlog-proof@v1'
const encoder = new TextEncoder()

/** The bytes of a proof file (`.tlog-proof`). */
export function formatTlogProof({ extra, index, proof, checkpoint }: TlogProof): Uint8Array<ArrayBuffer> {
  const lines = [FIRST_LINE]
  if (extra !== undefined) lines.push(`extra ${encodeBase64(extra)}`)
  lines.push(`index ${index}`, ...proof.map(encodeBase64), '', '')
  return joinBytes(encoder.encode(lines.join('\n')), checkpoint)
}

/**
 * A proof file taken apart; `undefined` where it is malformed. Nothing is verified, and the checkpoint not even parsed.
 */
export function parseTlogProof(bytes: Uint8Array): TlogProof | undefined {
  const text = decodeUtf8(bytes)
  const blank = text?.indexOf('\n\n') ?? -1
  if (text === undefined || blank === -1) return undefined
  const [first, ...rest] = text.slice(0, blank).split('\n')
  const extraLine = rest[0]?.startsWith('extra ') ? rest.shift() : undefined
  const [indexLine = '', ...hashes] = rest
  const extra = extraLine === undefined ? undefined : decodeBase64(extraLine.slice('extra '.length))
  const index = indexLine.startsWith('index ') ? parseSize(indexLine.slice('index '.length)) : undefined
  const proof = hashes.map(decodeBase64).filter((hash) => hash?.length === 32) as Uint8Array[]
  if (first !== FIRST_LINE || index === undefined || proof.length !== hashes.length) return undefined
  if ((extraLine !== undefined && extra === undefined) || proof.length > MAX_PROOF_HASHES) return undefined
  const checkpoint = encoder.encode(text.slice(blank + 2))
  return { ...(extra !== undefined && { extra }), index, proof, checkpoint }
}
