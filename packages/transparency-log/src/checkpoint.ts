import { decodeBase64, encodeBase64 } from './base64.ts'
import { assertNoteText } from './note.ts'

/** The text of a checkpoint (C2SP tlog-checkpoint): origin, size, root, perhaps extensions; a line each. */

/** How many leaves, and their Merkle root. */
export type TreeHead = { readonly size: number; readonly root: Uint8Array }

export type Checkpoint = TreeHead & { readonly origin: string; readonly extensions: readonly string[] }

/** Longest origin that is read or written, in bytes of UTF-8. */
const MAX_ORIGIN_BYTES = 255

const DECIMAL = /^(?:0|[1-9]\d{0,15})$/
const encoder = new TextEncoder()

/** The note text of a checkpoint. Throws RangeError where it would not read back as the same. */
export function formatCheckpoint({ origin, size, root, extensions }: Checkpoint): string {
  const text = `${[origin, String(size), encodeBase64(root), ...extensions].join('\n')}\n`
  assertNoteText(text)
  if (parseCheckpoint(text)?.extensions.length !== extensions.length) throw new RangeError('not a checkpoint')
  return text
}

/**
 * A checkpoint out of a note text; `undefined` where it is malformed: an empty line, a size with leading zeroes or of
 * 2^53 and more (the specification ends at 2^63), a root that is not 32 bytes of canonical base 64.
 */
export function parseCheckpoint(text: string): Checkpoint | undefined {
  if (!text.endsWith('\n')) return undefined
  const lines = text.slice(0, -1).split('\n')
  if (lines.length < 3 || lines.includes('')) return undefined
  const [origin = '', digits = '', base64 = '', ...extensions] = lines
  const size = parseSize(digits)
  const root = decodeBase64(base64)
  if (size === undefined || root?.length !== 32 || encoder.encode(origin).length > MAX_ORIGIN_BYTES) return undefined
  return { origin, size, root, extensions }
}

/** ASCII decimal without leading zeroes, below 2^53; `undefined` otherwise. */
export function parseSize(digits: string): number | undefined {
  const size = Number(digits)
  return DECIMAL.test(digits) && Number.isSafeInteger(size) ? size : undefined
}
