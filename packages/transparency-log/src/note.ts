import { decodeBase64, encodeBase64 } from './base64.ts'

/** The text form of signed notes (C2SP signed-note), apart from any cryptography; for Node and the browser alike. */

/** One signature line: who says to have signed, and the bytes after the key id. Nothing is verified yet. */
export type NoteSignature = { readonly name: string; readonly keyId: number; readonly signature: Uint8Array }

/** `text` ends with a newline, and is what is signed. */
export type Note = { readonly text: string; readonly signatures: readonly NoteSignature[] }

/** Longest note that is read, in bytes. */
const MAX_NOTE_BYTES = 1_000_000

/** Most signatures in a note that is read; the specification asks for at least 16. */
const MAX_NOTE_SIGNATURES = 100

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
const encoder = new TextEncoder()

// Everything below U+0020 but the newline.
const CONTROL = /[\u0000-\u0009\u000b-\u001f]/
const KEY_NAME = /^[^+\p{White_Space}]+$/u
const SIGNATURE_LINE = /^\u2014 ([^ \n]+) ([^ \n]+)$/u

/** Whether a key may have this name: not empty, no Unicode space, no plus, no control character, valid UTF-8. */
export function isKeyName(name: string): boolean {
  return KEY_NAME.test(name) && !CONTROL.test(name) && name.isWellFormed()
}

/**
 * A note out of its bytes, or `undefined` where they break the format in any way: not UTF-8, a control character, no
 * blank line before the signatures, a line among them that is none, no final newline, base 64 that is not canonical,
 * more than {@link MAX_NOTE_SIGNATURES}. What comes back is unverified.
 */
export function parseNote(bytes: Uint8Array): Note | undefined {
  const whole = decodeUtf8(bytes)
  if (whole === undefined || CONTROL.test(whole)) return undefined
  const blank = whole.lastIndexOf('\n\n')
  if (blank === -1) return undefined
  const signatures = parseSignatureLines(whole.slice(blank + 2))
  if (signatures === undefined) return undefined
  return { text: whole.slice(0, blank + 1), signatures }
}

/** One or more whole signature lines; `undefined` where any is malformed, or there are none or too many. */
export function parseSignatureLines(text: string): NoteSignature[] | undefined {
  if (!text.endsWith('\n')) return undefined
  const lines = text.slice(0, -1).split('\n')
  if (lines.length > MAX_NOTE_SIGNATURES) return undefined
  const signatures = lines.map(parseSignatureLine)
  return signatures.every((signature) => signature !== undefined) ? signatures : undefined
}

function parseSignatureLine(line: string): NoteSignature | undefined {
  const [, name = '', base64 = ''] = SIGNATURE_LINE.exec(line) ?? []
  const blob = decodeBase64(base64)
  if (!isKeyName(name) || blob === undefined || blob.length < 5) return undefined
  return { name, keyId: new DataView(blob.buffer).getUint32(0), signature: blob.subarray(4) }
}

/** The bytes of a note. Throws RangeError where its parts would not read back. */
export function formatNote({ text, signatures }: Note): Uint8Array<ArrayBuffer> {
  assertNoteText(text)
  if (signatures.length === 0) throw new RangeError('a note has at least one signature')
  return encoder.encode(`${text}\n${signatures.map(formatSignatureLine).join('')}`)
}

/** `— name base64(key id || signature)` and a newline. */
export function formatSignatureLine({ name, keyId, signature }: NoteSignature): string {
  if (!isKeyName(name)) throw new RangeError('not a key name')
  const blob = new Uint8Array(4 + signature.length)
  new DataView(blob.buffer).setUint32(0, keyId)
  blob.set(signature, 4)
  return `\u2014 ${name} ${encodeBase64(blob)}\n`
}

/** Throws RangeError unless `text` can be the text of a note: ends with a newline, no other control character, well formed. */
export function assertNoteText(text: string): void {
  if (!text.endsWith('\n') || CONTROL.test(text) || !text.isWellFormed()) throw new RangeError('not the text of a note')
}

/** The text of at most {@link MAX_NOTE_BYTES} of UTF-8; `undefined` where they are none. A byte order mark is kept. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  if (bytes.length > MAX_NOTE_BYTES) return undefined
  try {
    return utf8.decode(bytes)
  } catch {
    return undefined
  }
}
