import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import type { PublicJwk } from '@wardline/protocol'
import { calculateJwkThumbprint } from 'jose'

/** The members that are the key (RFC 7638 §3.2), without what stands beside them. */
export function bareJwk(jwk: PublicJwk): JsonWebKey & { readonly kty: PublicJwk['kty'] } {
  if (jwk.kty === 'EC') return { kty: jwk.kty, crv: jwk.crv, x: jwk.x, y: jwk.y }
  if (jwk.kty === 'OKP') return { kty: jwk.kty, crv: jwk.crv, x: jwk.x }
  return { kty: jwk.kty, n: jwk.n, e: jwk.e }
}

/** Its name; null for what is no point of its curve, or no modulus: OpenSSL says so. */
export async function thumbprintOf(jwk: PublicJwk): Promise<string | null> {
  const bare = bareJwk(jwk)
  try {
    createPublicKey({ key: bare, format: 'jwk' })
    return await calculateJwkThumbprint(bare)
  } catch {
    return null
  }
}

/** The key and the one algorithm that it is for: a token never chooses (RFC 8725 §3.1). */
export function pinned(stored: JsonWebKey): { readonly key: KeyObject; readonly algorithm: string } {
  const key = createPublicKey({ key: stored, format: 'jwk' })
  if (stored.kty === 'OKP') return { key, algorithm: 'EdDSA' }
  if (stored.kty === 'RSA') return { key, algorithm: 'RS384' }
  return { key, algorithm: stored.crv === 'P-384' ? 'ES384' : 'ES256' }
}
