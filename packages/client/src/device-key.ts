import { base64url } from './base64url.ts'

/** The public half as RFC 7518 §6.2.1 writes it, with the members in the order that RFC 7638 §3.3 hashes. */
export type PublicJwk = { readonly crv: 'P-256'; readonly kty: 'EC'; readonly x: string; readonly y: string }

/** The key that binds tokens to this device. The private half never leaves WebCrypto. */
export type DeviceKey = {
  readonly publicJwk: PublicJwk
  /** RFC 7638 thumbprint, base64url: the `cnf.jkt` of every token of this device. */
  readonly thumbprint: string
  /** ES256 over the bytes: r and s, 32 bytes each, as RFC 7518 §3.4 wants them. */
  sign(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array>
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256' } as const

/** Where a key pair outlives the page. */
export type KeyStore = {
  load(): Promise<CryptoKeyPair | undefined>
  /** Keeps the pair unless there is one already, and answers with the one that is kept: two new tabs agree on one. */
  keep(pair: CryptoKeyPair): Promise<CryptoKeyPair>
  remove(): Promise<void>
}

/** A key store that lasts as long as the process. */
export function memoryKeyStore(): KeyStore {
  let kept: CryptoKeyPair | undefined
  return {
    load: async () => kept,
    keep: async (pair) => (kept ??= pair),
    remove: async () => {
      kept = undefined
    },
  }
}

/** A P-256 pair whose private half cannot be exported, not even by this code. */
export function generateDevicePair(): Promise<CryptoKeyPair> {
  return crypto.subtle.generateKey(ALGORITHM, false, ['sign', 'verify'])
}

/** The stored key, or a new one that is stored from now on. Where storing fails, the key lasts as long as the page. */
export async function loadDeviceKey(store: KeyStore): Promise<DeviceKey> {
  let pair: CryptoKeyPair | undefined
  try {
    pair = await store.load()
  } catch {
    // A browser that forbids storage still signs in; it only has to do so again after a reload.
  }
  if (pair === undefined) {
    const fresh = await generateDevicePair()
    pair = await store.keep(fresh).catch(() => fresh)
  }
  return deviceKeyOf(pair)
}

async function deviceKeyOf(pair: CryptoKeyPair): Promise<DeviceKey> {
  const { x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey)
  if (x === undefined || y === undefined) throw new TypeError('not an elliptic curve key')
  const publicJwk: PublicJwk = { crv: 'P-256', kty: 'EC', x, y }
  return {
    publicJwk,
    thumbprint: await thumbprint(publicJwk),
    sign: async (bytes) =>
      new Uint8Array(await crypto.subtle.sign({ name: 'ECDSA', hash: 'SHA-256' }, pair.privateKey, bytes)),
  }
}

/** RFC 7638: SHA-256 over the required members alone, in lexicographic order, without white space; base64url. */
export async function thumbprint({ crv, kty, x, y }: PublicJwk): Promise<string> {
  const bytes = new TextEncoder().encode(JSON.stringify({ crv, kty, x, y }))
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', bytes)))
}
