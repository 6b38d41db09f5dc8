import type { SignedVoid, VoidStatement } from './leaf.ts'
import type { NoteSigner, NoteVerifier } from './note-keys.ts'
import { signerOfStatement, signStatement } from './statement.ts'

/**
 * Voids: when numbers of a writer are known never to come, someone says so, by name and signature, in the log itself. A
 * gap without a void is a finding; a gap with one is a fact that every verification lists.
 */

/** Signs a void for the log `origin`. Which keys may sign voids is the verifier's choice; the log's own by default. */
export function signVoid(statement: VoidStatement, origin: string, signer: NoteSigner): SignedVoid {
  const signature = signStatement(voidText(statement, origin), signer)
  return { ...statement, signer: signer.verifier.name, signature }
}

/** Whether one of `keys` signed this void for the log `origin`. Never throws. */
export function verifyVoid(signed: SignedVoid, origin: string, keys: readonly NoteVerifier[]): boolean {
  return signerOfStatement(voidText(signed, origin), signed.signer, signed.signature, keys) !== undefined
}

/**
 * What is signed. The first line keeps it apart from a checkpoint, whose second line is a number and whose first would
 * have to be the origin.
 */
function voidText({ at, first, last, reason, writer }: VoidStatement, origin: string): string {
  return `wardline-void/v1\n${origin}\n${writer}\n${first}-${last}\n${reason}\n${at}\n`
}
