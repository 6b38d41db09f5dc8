/** Base 64 (RFC 4648 §4: standard alphabet, padded), for Node and the browser alike; only the one canonical spelling is read. */

const SPELLING = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** Padded standard base 64 of `bytes`. For short values (hashes, signatures): it is not made for megabytes. */
export function encodeBase64(bytes: Uint8Array): string {
  let binary = ''
  for (const byte of bytes) binary += String.fromCharCode(byte)
  return btoa(binary)
}

/**
 * The bytes of a base 64 text, or `undefined` where it is not exactly what {@link encodeBase64} would write: a missing
 * pad, white space, the URL alphabet, or spare bits that are not zero would let one signature have many spellings.
 */
export function decodeBase64(text: string): Uint8Array<ArrayBuffer> | undefined {
  if (!SPELLING.test(text)) return undefined
  const binary = atob(text)
  const bytes = new Uint8Array(binary.length)
  for (let i = 0; i < binary.length; i++) bytes[i] = binary.charCodeAt(i)
  return encodeBase64(bytes) === text ? bytes : undefined
}
