import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto'

export type ProofParts = { readonly header?: object; readonly claims?: object; readonly key?: KeyObject }

/** A device's key, as a browser holds one, and the proofs it makes (RFC 9449). */
export class DeviceKey {
  readonly privateKey: KeyObject
  readonly jwk: { kty: string; crv: string; x: string; y: string }
  readonly jkt: string

  constructor() {
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { x = '', y = '' } = publicKey.export({ format: 'jwk' })
    this.privateKey = privateKey
    this.jwk = { kty: 'EC', crv: 'P-256', x, y }
    this.jkt = sha256(JSON.stringify({ crv: 'P-256', kty: 'EC', x, y }))
  }

  /** `at` in ms of the epoch. `twisted`: claims and headers in place of the right ones, for attacks. */
  proof(
    about: { method: string; url: string; at: number; token?: string | undefined; nonce?: string | undefined },
    twisted: ProofParts = {},
  ): string {
    const claims = {
      htm: about.method,
      htu: about.url,
      iat: Math.floor(about.at / 1000),
      jti: randomBytes(24).toString('base64url'),
      ...(about.token === undefined ? {} : { ath: sha256(about.token) }),
      ...(about.nonce === undefined ? {} : { nonce: about.nonce }),
      ...twisted.claims,
    }
    const header = { typ: 'dpop+jwt', alg: 'ES256', jwk: this.jwk, ...twisted.header }
    const input = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
    const key = twisted.key ?? this.privateKey
    return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
  }
}

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
