import { decodeBase64 } from './base64.ts'
import { parseNote } from './note.ts'
import type { NoteSigner, NoteVerifier } from './note-keys.ts'
import { signNote } from './signed-note.ts'

/** Statements that the log itself holds, signed like a note's text, and spelt like the base 64 of its signature line. */

/** Base 64 of key id and signature over `text`. Throws RangeError where it cannot be a note's text. */
export function signStatement(text: string, signer: NoteSigner): string {
  const line = parseNote(signNote(text, [signer], 0))?.signatures[0]
  if (line === undefined) throw new RangeError('not a statement that can be signed')
  const blob = Buffer.alloc(4 + line.signature.length)
  blob.writeUInt32BE(line.keyId)
  blob.set(line.signature, 4)
  return blob.toString('base64')
}

/** The key of `keys`, named `name`, that signed `text`; `undefined` where none did. Never throws. */
export function signerOfStatement(
  text: string,
  name: string,
  signature: string,
  keys: readonly NoteVerifier[],
): NoteVerifier | undefined {
  const blob = decodeBase64(signature)
  if (blob === undefined || blob.length < 5) return undefined
  const keyId = new DataView(blob.buffer).getUint32(0)
  const key = keys.find((one) => one.name === name && one.keyId === keyId)
  return key?.verify(text, blob.subarray(4)) === true ? key : undefined
}
