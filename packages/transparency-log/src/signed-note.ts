import { formatNote, type Note, type NoteSignature, parseNote } from './note.ts'
import type { NoteSigner, NoteVerifier } from './note-keys.ts'

/** Signing notes and opening them with known keys (C2SP signed-note, "Signatures"). */

/** Why a note was not believed. */
export type NoteFault = 'malformed' | 'invalid-signature' | 'no-known-signature'

/** A note that was believed: `by` holds the keys whose signatures verified, each once, in the order of the lines. */
export type OpenedNote = Note & { readonly ok: true; readonly by: readonly NoteVerifier[] }
export type RefusedNote = { readonly ok: false; readonly fault: NoteFault }

/**
 * Opens a note with known keys. Signatures of unknown keys (name and key id together) are ignored; if one of a known
 * key does not verify, the whole note is refused; without one that verifies, it is refused too.
 */
export function openNote(bytes: Uint8Array, keys: readonly NoteVerifier[]): OpenedNote | RefusedNote {
  const note = parseNote(bytes)
  if (note === undefined) return { ok: false, fault: 'malformed' }
  const by: NoteVerifier[] = []
  for (const line of note.signatures) {
    for (const key of keys) {
      if (!isBy(line, key)) continue
      if (!key.verify(note.text, line.signature)) return { ok: false, fault: 'invalid-signature' }
      if (!by.includes(key)) by.push(key)
    }
  }
  return by.length === 0 ? { ok: false, fault: 'no-known-signature' } : { ok: true, ...note, by }
}

/**
 * Signs `text` with `signers`, at `at` (seconds since the epoch, for cosigners); lines of other keys in `others` are
 * kept behind them. Throws RangeError where the text cannot be a note's.
 */
export function signNote(
  text: string,
  signers: readonly NoteSigner[],
  at: number,
  others: readonly NoteSignature[] = [],
): Uint8Array<ArrayBuffer> {
  const own = signers.map((signer) => ({
    name: signer.verifier.name,
    keyId: signer.verifier.keyId,
    signature: signer.sign(text, at),
  }))
  const foreign = others.filter((line) => !signers.some(({ verifier }) => isBy(line, verifier)))
  return formatNote({ text, signatures: [...own, ...foreign] })
}

/** Whether a signature line says to be that key's. */
export function isBy(line: NoteSignature, key: NoteVerifier): boolean {
  return line.name === key.name && line.keyId === key.keyId
}
