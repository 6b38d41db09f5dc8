import type { SignedHandover } from './leaf.ts'
import { type NoteSigner, type NoteVerifier, parseVerifierKey } from './note-keys.ts'
import { signerOfStatement, signStatement } from './statement.ts'

/**
 * Handovers: when the log's key changes, the old key and the new one both say so, in the log itself. The checkpoint that ends with a
 * handover is signed by both and kept, so whoever holds either key can find the other (key-chain.ts).
 */

/** Signs that from `at` (milliseconds since the epoch) on the log `origin` is signed by `to` and no more by `from`. */
export function signHandover(at: number, origin: string, from: NoteSigner, to: NoteSigner): SignedHandover {
  const keys = { at, from: from.verifier.vkey, to: to.verifier.vkey }
  const text = handoverText(keys, origin)
  return { ...keys, signatures: [signStatement(text, from), signStatement(text, to)] }
}

/** Both keys of a handover that both have signed, for the log `origin`; `undefined` otherwise. Never throws. */
export function openHandover(
  handover: SignedHandover,
  origin: string,
): { readonly from: NoteVerifier; readonly to: NoteVerifier } | undefined {
  const from = keyOf(handover.from, origin)
  const to = keyOf(handover.to, origin)
  if (from === undefined || to === undefined || from.vkey === to.vkey) return undefined
  const text = handoverText(handover, origin)
  const isSigned = [from, to].every(
    (key, i) => signerOfStatement(text, origin, handover.signatures[i] ?? '', [key]) === key,
  )
  return isSigned ? { from, to } : undefined
}

/** The log's keys all bear its origin as their name. */
function keyOf(vkey: string, origin: string): NoteVerifier | undefined {
  try {
    const key = parseVerifierKey(vkey)
    return key.name === origin ? key : undefined
  } catch {
    return undefined
  }
}

function handoverText({ at, from, to }: Pick<SignedHandover, 'at' | 'from' | 'to'>, origin: string): string {
  return `wardline-handover/v1\n${origin}\n${from}\n${to}\n${at}\n`
}
