/** A signing key as its provider lists it: what may be shown, and when it signs. */
export type ProvidedKey = {
  /** RFC 7638 thumbprint of the public key. */
  readonly kid: string
  /** Milliseconds of the epoch; it signs from then on, until a later one does. */
  readonly activeFrom: number
  readonly jwk: { readonly kty: 'EC'; readonly crv: 'P-256'; readonly x: string; readonly y: string }
}

/**
 * Where the keys live that sign access tokens: files now (`file-signing-provider.ts`); PKCS#11 or a KMS can stand here,
 * which is why signing is a question and no key is ever handed out. One store for all nodes: what one adds, the others list.
 * Each rejects when the store is away.
 */
export interface SigningKeyProvider {
  /** Every key there is. Asked every second or so: what has not changed should cost little. */
  list(): Promise<readonly ProvidedKey[]>
  /** Makes a P-256 key that signs from `activeFrom` on. Its `kid`. */
  create(activeFrom: number): Promise<string>
  /** ECDSA with SHA-256 over `input`: the 64 bytes r ‖ s of RFC 7518 §3.4. */
  sign(kid: string, input: Uint8Array): Promise<Uint8Array>
  /** Destroys a key; one that is not there is gone already. */
  remove(kid: string): Promise<void>
}
