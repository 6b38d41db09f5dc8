import { createHash, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import fc from 'fast-check'
import { calculateJwkThumbprint, exportJWK } from 'jose'
import { describe, expect, test } from 'vitest'
import { Refusal } from '../errors.ts'
import { checkProof, type ProofTarget } from './proof.ts'

const NOW = 1_780_000_000_000
const NONCE = 'n'.repeat(32)
const TOKEN = 'header.payload.signature'
const ATH = createHash('sha256').update(TOKEN).digest('base64url')
const HTU = 'https://ward.example/ws'
const TARGET: ProofTarget = { htm: 'GET', isTarget: (htu) => htu === HTU, token: TOKEN, nonce: NONCE }

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const { x, y } = await exportJWK(publicKey)
const JWK = { kty: 'EC', crv: 'P-256', x, y }
const HEADER = { typ: 'dpop+jwt', alg: 'ES256', jwk: JWK }
const CLAIMS = { htm: 'GET', htu: HTU, iat: NOW / 1000, jti: 'j'.repeat(32), ath: ATH, nonce: NONCE }

function proofOf(header: object, claims: object | string, key: KeyObject = privateKey): string {
  const payload = typeof claims === 'string' ? claims : JSON.stringify(claims)
  const input = [JSON.stringify(header), payload].map((part) => Buffer.from(part).toString('base64url')).join('.')
  return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

async function reasonOf(proof: string, target = TARGET): Promise<string> {
  try {
    await checkProof(proof, target, NOW)
    return 'accepted'
  } catch (error) {
    // One answer for every cause: any other code is a failure of the test.
    if (error instanceof Refusal && error.code === 'unauthenticated') return error.reason
    throw error
  }
}

describe('checkProof', () => {
  test('R-16: gives the thumbprint of the key and one name for the proof', async () => {
    const first = await checkProof(proofOf(HEADER, CLAIMS), TARGET, NOW)
    expect(first.jkt).toBe(await calculateJwkThumbprint(JWK as { kty: 'EC' }))
    expect(first.expiresAt).toBe(NOW + 75_000)
    const again = await checkProof(proofOf(HEADER, { ...CLAIMS, iat: CLAIMS.iat - 1 }), TARGET, NOW)
    expect(again.digest, 'key and jti name it, not its signature').toEqual(first.digest)
    const other = await checkProof(proofOf(HEADER, { ...CLAIMS, jti: 'k'.repeat(32) }), TARGET, NOW)
    expect(other.digest).not.toEqual(first.digest)
  })

  test('takes a key as WebCrypto exports it, by the same thumbprint; never one with its private half', async () => {
    const exported = { ...JWK, ext: true, key_ops: ['verify'], use: 'sig', kid: 'browser' }
    const checked = await checkProof(proofOf({ ...HEADER, jwk: exported }, CLAIMS), TARGET, NOW)
    expect(checked.jkt).toBe(await calculateJwkThumbprint(JWK as { kty: 'EC' }))
    expect(await reasonOf(proofOf({ ...HEADER, jwk: { ...exported, d: 'd'.repeat(43) } }, CLAIMS))).toBe('proof')
  })

  test('without token and nonce where none is asked for, and then it may hold none', async () => {
    const { ath, nonce, ...bare } = CLAIMS
    const target = { ...TARGET, token: undefined, nonce: undefined }
    expect(await reasonOf(proofOf(HEADER, bare), target)).toBe('accepted')
    expect(await reasonOf(proofOf(HEADER, { ...bare, ath }), target)).toBe('proof')
    expect(await reasonOf(proofOf(HEADER, { ...bare, nonce }), target)).toBe('nonce')
  })

  test.each([
    ['another typ', { ...HEADER, typ: 'jwt' }],
    ['no typ', { alg: 'ES256', jwk: JWK }],
    ['typ in capitals', { ...HEADER, typ: 'DPoP+JWT' }],
    ['alg none', { ...HEADER, alg: 'none' }],
    ['alg in lower case', { ...HEADER, alg: 'es256' }],
    ['alg HS256', { ...HEADER, alg: 'HS256' }],
    ['alg RS256', { ...HEADER, alg: 'RS256' }],
    ['a private key in it', { ...HEADER, jwk: { ...JWK, d: 'A'.repeat(43) } }],
    ['a key of another curve', { ...HEADER, jwk: { ...JWK, crv: 'P-384' } }],
    ['a symmetric key', { ...HEADER, jwk: { kty: 'oct', k: 'AAAA' } }],
    ['a point that is not on the curve', { ...HEADER, jwk: { ...JWK, x: 'A'.repeat(43) } }],
    ['a key of another person', { ...HEADER, jwk: { ...JWK, x: y, y: x } }],
    ['a key by reference (jku)', { ...HEADER, jku: 'https://evil.test/keys' }],
    ['a certificate by reference (x5u)', { ...HEADER, x5u: 'https://evil.test/cert' }],
    ['crit', { ...HEADER, crit: ['exp'] }],
    ['kid', { ...HEADER, kid: 'a' }],
    ['no key', { typ: 'dpop+jwt', alg: 'ES256' }],
  ])('R-16: refuses a header with %s', async (_name, header) => {
    expect(await reasonOf(proofOf(header, CLAIMS))).toBe('proof')
  })

  test.each([
    ['another method', { ...CLAIMS, htm: 'POST' }],
    ['a method in lower case', { ...CLAIMS, htm: 'get' }],
    ['another URL', { ...CLAIMS, htu: 'https://evil.test/ws' }],
    ['another token', { ...CLAIMS, ath: ATH.replace(/^./, 'x').replace(/^x(?=x)/, 'y') }],
    ['no token', { ...CLAIMS, ath: undefined }],
    ['an iat too long ago', { ...CLAIMS, iat: NOW / 1000 - 61 }],
    ['an iat in the future', { ...CLAIMS, iat: NOW / 1000 + 16 }],
    ['an iat in milliseconds', { ...CLAIMS, iat: NOW }],
    ['an iat as text', { ...CLAIMS, iat: String(NOW / 1000) }],
    ['no iat', { ...CLAIMS, iat: undefined }],
    ['no jti', { ...CLAIMS, jti: undefined }],
    ['a short jti', { ...CLAIMS, jti: 'j' }],
    ['a huge jti', { ...CLAIMS, jti: 'j'.repeat(200) }],
    ['a claim more', { ...CLAIMS, admin: true }],
    ['a claim twice', JSON.stringify(CLAIMS).replace('{', '{"htm":"POST",')],
  ])('R-16: refuses %s', async (_name, claims) => {
    expect(await reasonOf(proofOf(HEADER, claims))).toBe('proof')
  })

  test('R-04: refuses another nonce, and none', async () => {
    expect(await reasonOf(proofOf(HEADER, { ...CLAIMS, nonce: 'm'.repeat(32) }))).toBe('nonce')
    expect(await reasonOf(proofOf(HEADER, { ...CLAIMS, nonce: undefined }))).toBe('nonce')
  })

  test('refuses a signature by another key, in DER, cut, and of zeros', async () => {
    const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
    expect(await reasonOf(proofOf(HEADER, CLAIMS, other))).toBe('proof')
    const [header, payload] = proofOf(HEADER, CLAIMS).split('.') as [string, string]
    const der = sign('sha256', Buffer.from(`${header}.${payload}`), { key: privateKey, dsaEncoding: 'der' })
    for (const signature of [der, Buffer.alloc(64), Buffer.alloc(63, 1), Buffer.alloc(1)]) {
      expect(await reasonOf(`${header}.${payload}.${signature.toString('base64url')}`)).toBe('proof')
    }
  })

  test('one changed byte anywhere is refused', async () => {
    const proof = proofOf(HEADER, CLAIMS)
    await fc.assert(
      fc.asyncProperty(fc.nat(proof.length - 1), fc.constantFrom('A', 'b', '0', '-', '_', '.'), async (at, by) => {
        fc.pre(proof[at] !== by)
        expect(await reasonOf(proof.slice(0, at) + by + proof.slice(at + 1))).not.toBe('accepted')
      }),
      { numRuns: 60 },
    )
  })
})
