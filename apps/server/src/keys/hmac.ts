import { hash, type KeyObject } from 'node:crypto'

const BLOCK_BYTES = 64
const DIGEST_BYTES = 32

type Pads = { readonly inner: Buffer; readonly outer: Buffer }

const padsOf = new WeakMap<KeyObject, Pads>()

/**
 * HMAC-SHA-256 (RFC 2104) of a text in UTF-8, for the path that does it for every message: two one-shot hashes, which together cost
 * less than half of setting up one `Hmac`.
 *
 * @param key secret, at most 64 bytes
 */
export function hmacSha256(key: KeyObject, text: string): Buffer {
  const { inner, outer } = padsOf.get(key) ?? makePads(key)
  const message = Buffer.allocUnsafe(BLOCK_BYTES + Buffer.byteLength(text))
  inner.copy(message)
  message.write(text, BLOCK_BYTES)
  const last = Buffer.allocUnsafe(BLOCK_BYTES + DIGEST_BYTES)
  outer.copy(last)
  hash('sha256', message, 'buffer').copy(last, BLOCK_BYTES)
  return hash('sha256', last, 'buffer')
}

function makePads(key: KeyObject): Pads {
  const secret = key.export()
  if (secret.length > BLOCK_BYTES) throw new TypeError('a key of HMAC-SHA-256 here is at most 64 bytes')
  const pads = { inner: Buffer.alloc(BLOCK_BYTES, 0x36), outer: Buffer.alloc(BLOCK_BYTES, 0x5c) }
  for (const [place, byte] of secret.entries()) {
    pads.inner[place] = 0x36 ^ byte
    pads.outer[place] = 0x5c ^ byte
  }
  padsOf.set(key, pads)
  return pads
}
