import { DeviceKey, type ProofParts } from '../../_util/device-key.ts'
import { EVIL } from './tokens.ts'

/** What is changed in a proof that would otherwise be right, or a proof in its place. */
export type Twisted = readonly [name: string, twist: (device: DeviceKey, now: number) => ProofParts | string]

const headers: Twisted[] = Object.entries({
  'typ JWT': { typ: 'JWT' },
  'no typ': { typ: undefined },
  'typ in capitals': { typ: 'DPoP+JWT' },
  'alg none': { alg: 'none' },
  'alg in lower case': { alg: 'es256' },
  'alg HS256': { alg: 'HS256' },
  'a symmetric key': { jwk: { kty: 'oct', k: 'AAAA' } },
  'a point off the curve': { jwk: { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) } },
  'no key': { jwk: undefined },
  jku: { jku: EVIL },
  x5u: { x5u: EVIL },
  kid: { kid: 'a' },
  crit: { crit: ['exp'] },
}).map(([name, header]) => [`proof header: ${name}`, () => ({ header })])

const claims: Twisted[] = Object.entries({
  'another method': { htm: 'POST' },
  'a method in lower case': { htm: 'get' },
  'another address': { htu: 'https://evil.test/api/v1/me' },
  'another path': { htu: 'https://localhost/api/v1/patients' },
  'no address': { htu: undefined },
  'another token': { ath: 'x'.repeat(43) },
  'no token': { ath: undefined },
  'another nonce': { nonce: 'n'.repeat(32) },
  'no iat': { iat: undefined },
  'iat as text': { iat: '1' },
  'no jti': { jti: undefined },
  'a short jti': { jti: 'j' },
  'a claim more': { admin: true },
}).map(([name, twist]) => [`proof: ${name}`, () => ({ claims: twist })])

/** Proofs that are none. */
export const proofs: readonly Twisted[] = [
  ...headers,
  ...claims,
  ['proof header: the private key too', (device) => ({ header: { jwk: { ...device.jwk, d: 'A'.repeat(43) } } })],
  ['proof: an old iat', (_device, now) => ({ claims: { iat: Math.floor(now / 1000) - 61 } })],
  ['proof: an iat to come', (_device, now) => ({ claims: { iat: Math.floor(now / 1000) + 30 } })],
  ['proof: an iat in milliseconds', (_device, now) => ({ claims: { iat: now } })],
  ['proof: signed by another key', () => ({ key: new DeviceKey().privateKey })],
  ['proof: another key, in all', () => thief()],
  ['five parts', () => 'AAAA.AAAA.AAAA.AAAA.AAAA'],
  ['no proof', () => 'x'],
]

function thief(): ProofParts {
  const key = new DeviceKey()
  return { header: { jwk: key.jwk }, key: key.privateKey }
}
