import { base64url, base64urlText } from './base64url.ts'
import { type DeviceKey, type KeyStore, loadDeviceKey } from './device-key.ts'
import type { ServerClock } from './server-clock.ts'

/** What shows that a token is used by the device it was given to (RFC 9449). */
export type Proofs = {
  /** For an HTTP call. `token`: the access token that travels beside it, where there is one. */
  http(method: string, url: string, token?: string): Promise<string>
  /** For the socket at `url` (`wss:`), over the server's nonce (protocol.md "Opening"). */
  socket(url: string, token: string, nonce: string): Promise<string>
  /** Throws the key away: nothing that was bound to it can be used again. The next proof makes a new one. */
  forget(): Promise<void>
}

type Claims = { htm: string; htu: string; iat: number; jti: string; ath?: string; nonce?: string }

/** Proofs by the key in `store`, which is made at the first of them. Times are the server's, in whole seconds. */
export function createProofs(store: KeyStore, clock: ServerClock): Proofs {
  let loading: Promise<DeviceKey> | undefined

  function key(): Promise<DeviceKey> {
    loading ??= loadDeviceKey(store).catch((error: unknown) => {
      loading = undefined
      throw error
    })
    return loading
  }

  async function make(htm: string, url: string, more: { token?: string | undefined; nonce?: string }): Promise<string> {
    const claims: Claims = { htm, htu: htuOf(url), iat: Math.floor(clock.now() / 1000), jti: randomJti() }
    if (more.token !== undefined) claims.ath = await hashOf(more.token)
    if (more.nonce !== undefined) claims.nonce = more.nonce
    return signed(await key(), claims)
  }

  return {
    http: (method, url, token) => make(method, url, { token }),
    socket: (url, token, nonce) => make('GET', url, { token, nonce }),
    forget: async () => {
      loading = undefined
      await store.remove()
    },
  }
}

async function signed(key: DeviceKey, claims: Claims): Promise<string> {
  const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: key.publicJwk }
  const input = `${base64urlText(JSON.stringify(header))}.${base64urlText(JSON.stringify(claims))}`
  return `${input}.${base64url(await key.sign(new TextEncoder().encode(input)))}`
}

/** `htu`: the URL without query and fragment (RFC 9449 §4.2), in the `https` form for a socket. */
function htuOf(url: string): string {
  const htu = new URL(url)
  htu.search = ''
  htu.hash = ''
  if (htu.protocol === 'wss:') htu.protocol = 'https:'
  return htu.href
}

/** 24 random bytes: a jti must not be guessed, so a UUID does not do (protocol.md). */
function randomJti(): string {
  return base64url(crypto.getRandomValues(new Uint8Array(24)))
}

/** `ath`: base64url of SHA-256 over the token's ASCII (RFC 9449 §4.2). */
async function hashOf(token: string): Promise<string> {
  return base64url(new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(token))))
}
