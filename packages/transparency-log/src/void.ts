import { decodeBase64 } from './base64.ts'
import type { SignedVoid, VoidStatement } from './leaf.ts'
import { parseNote } from './note.ts'
import type { NoteSigner, NoteVerifier } from './note-keys.ts'
import { signNote } from './signed-note.ts'

/**
 * Voids: when numbers of a writer are known never to come, someone says so, by name and signature, in the log itself. A
 * gap without a void is a finding; a gap with one is a fact that every verification lists.
 */

/** Signs a void for the log `origin`. Which keys may sign voids is the verifier's choice; the log's own by default. */
export function signVoid(statement: VoidStatement, origin: string, signer: NoteSigner): SignedVoid {
  const line = parseNote(signNote(voidText(statement, origin), [signer], 0))?.signatures[0]
  if (line === undefined) throw new RangeError('not a void that can be signed')
  const blob = Buffer.alloc(4 + line.signature.length)
  blob.writeUInt32BE(line.keyId)
  blob.set(line.signature, 4)
  return { ...statement, signer: line.name, signature: blob.toString('base64') }
}

/** Whether one of `keys` signed this void for the log `origin`. Never throws. */
export function verifyVoid(signed: SignedVoid, origin: string, keys: readonly NoteVerifier[]): boolean {
  const blob = decodeBase64(signed.signature)
  if (blob === undefined || blob.length < 5) return false
  const keyId = new DataView(blob.buffer).getUint32(0)
  const key = keys.find((one) => one.name === signed.signer && one.keyId === keyId)
  return key?.verify(voidText(signed, origin), blob.subarray(4)) ?? false
}

/**
 * What is signed. The first line keeps it apart from a checkpoint, whose second line is a number and whose first would
 * have to be the origin.
 */
function voidText({ at, first, last, reason, writer }: VoidStatement, origin: string): string {
  return `wardline-void/v1\n${origin}\n${writer}\n${first}-${last}\n${reason}\n${at}\n`
}
