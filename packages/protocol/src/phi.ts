declare const phi: unique symbol

/**
 * Electronic protected health information: message bodies, patient names, MRNs, dates of birth, any text a person typed.
 * The brand keeps it in its few homes (architecture.md, law 4): the logger, the audit event, the bus hint and the error
 * constructors take no such value, so a leak is a type error before it is an incident (45 CFR 164.312(a)(2)(iv)).
 */
export type Phi = string & { readonly [phi]: true }

/** Marks text as ePHI. There is no way back but `String(value)` at the two edges: the cipher and the authorised socket. */
export function asPhi(text: string): Phi {
  return text as Phi
}
