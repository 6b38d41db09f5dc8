import { describe, expect, it } from 'vitest'
import { memoryKeyStore } from './device-key.ts'
import { createProofs } from './proof.ts'
import { ServerClock } from './server-clock.ts'

const NOW = Date.UTC(2026, 10, 22, 3, 4, 5, 678)

function decode(part: string | undefined): Record<string, unknown> {
  return JSON.parse(Buffer.from(part ?? '', 'base64url').toString())
}

function read(proof: string) {
  const [header, claims, signature] = proof.split('.')
  return { header: decode(header), claims: decode(claims), signature: Buffer.from(signature ?? '', 'base64url') }
}

function setUp() {
  const clock = new ServerClock(() => NOW)
  return { clock, proofs: createProofs(memoryKeyStore(), clock) }
}

describe('[R-16] a proof of possession', () => {
  it('says what RFC 9449 §4.2 asks of one for a call without a token', async () => {
    const { proofs } = setUp()
    const { header, claims } = read(await proofs.http('POST', 'https://ward.test/api/v1/auth/login?a=b#c'))
    expect(header).toEqual({
      typ: 'dpop+jwt',
      alg: 'ES256',
      jwk: { kty: 'EC', crv: 'P-256', x: expect.any(String), y: expect.any(String) },
    })
    expect(claims).toEqual({
      htm: 'POST',
      htu: 'https://ward.test/api/v1/auth/login',
      iat: Math.floor(NOW / 1000),
      jti: expect.stringMatching(/^[A-Za-z0-9_-]{32}$/),
    })
  })

  it('is bound to its token by the hash of the example of RFC 9449 §4.3', async () => {
    const { proofs } = setUp()
    const token = 'Kz~8mXK1EalYznwH-LC-1fBAo.4Ljp~zsPE_NeO.gxU'
    const { claims } = read(await proofs.http('GET', 'https://ward.test/api/v1/me', token))
    expect(claims['ath']).toBe('fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo')
  })

  it('is signed by the key in its header, 64 bytes of r and s', async () => {
    const { proofs } = setUp()
    const proof = await proofs.http('GET', 'https://ward.test/api/v1/me', 'a.b.c')
    const { header, signature } = read(proof)
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256' }
    const key = await crypto.subtle.importKey('jwk', header['jwk'] as JsonWebKey, algorithm, false, ['verify'])
    const input = Buffer.from(proof.slice(0, proof.lastIndexOf('.')))
    expect(signature.length).toBe(64)
    expect(await crypto.subtle.verify({ name: 'ECDSA', hash: 'SHA-256' }, key, signature, input)).toBe(true)
  })

  it('for a socket names the https form of its URL and carries the nonce', async () => {
    const { proofs } = setUp()
    const { claims } = read(await proofs.socket('wss://ward.test:8443/ws', 'a.b.c', 'the-nonce'))
    expect(claims).toMatchObject({ htm: 'GET', htu: 'https://ward.test:8443/ws', nonce: 'the-nonce' })
    expect(claims['ath']).toEqual(expect.any(String))
  })

  it('is dated by the server, not by a workstation whose clock is wrong', async () => {
    const { clock, proofs } = setUp()
    clock.observe(NOW + 3_600_000)
    const { claims } = read(await proofs.http('GET', 'https://ward.test/'))
    expect(claims['iat']).toBe(Math.floor(NOW / 1000) + 3600)
  })

  it('is never the same twice, and comes from another key once the first was forgotten', async () => {
    const { proofs } = setUp()
    const one = read(await proofs.http('GET', 'https://ward.test/'))
    const two = read(await proofs.http('GET', 'https://ward.test/'))
    await proofs.forget()
    const three = read(await proofs.http('GET', 'https://ward.test/'))
    expect(two.claims['jti']).not.toBe(one.claims['jti'])
    expect(two.header).toEqual(one.header)
    expect(three.header).not.toEqual(one.header)
  })
})
