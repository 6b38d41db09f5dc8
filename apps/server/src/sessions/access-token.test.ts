import { createHmac, createPublicKey, type KeyObject } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeJwt, decodeProtectedHeader, generateKeyPair, type JWK, SignJWT } from 'jose'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { Refusal } from '../errors.ts'
import { fileSigningProvider } from '../keys/file-signing-provider.ts'
import { openSigningKeys, type SigningKeys } from '../keys/signing-keys.ts'
import { type AccessGrant, type AccessTokens, createAccessTokens } from './access-token.ts'

const INSTALLATION = '7d9f6d0e-1f0a-4c53-9a34-0f2f6a3b1c11'
const NAME = `urn:wardline:${INSTALLATION}`
const START = 1_780_000_000_000
const GRANT: AccessGrant = {
  sub: '0b8f1c9e-6a34-4a7f-8f55-1c2d3e4f5a6b',
  client_id: 'wardline',
  tenant: '1c9e0b8f-6a34-4a7f-8f55-1c2d3e4f5a6b',
  sid: 's'.repeat(32),
  roles: ['nurse'],
  scope: 'account clinical',
  cnf: { jkt: 'j'.repeat(43) },
  auth_time: START / 1000,
  acr: 'aal1',
  amr: ['pwd'],
}

const folder = mkdtempSync(join(tmpdir(), 'wardline-token-'))
let now = START
let keys: SigningKeys
let tokens: AccessTokens

beforeAll(async () => {
  keys = await openSigningKeys(
    fileSigningProvider(folder),
    () => now,
    310_000,
    () => undefined,
  )
  tokens = createAccessTokens(keys, INSTALLATION, () => now)
})
beforeEach(() => {
  now = START
})
afterAll(() => rmSync(folder, { recursive: true }))

async function reasonOf(token: string): Promise<string> {
  try {
    await tokens.verify(token)
    return 'accepted'
  } catch (error) {
    // One answer for every cause: any other code is a failure of the test.
    if (error instanceof Refusal && error.code === 'unauthenticated') return error.reason
    throw error
  }
}

const encode = (value: object | string) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url')

describe('access tokens', () => {
  test('R-12: hold what RFC 9068 and protocol.md name, for their time and not longer', async () => {
    const { token, expiresAt } = await tokens.issue(GRANT, 300)
    expect(expiresAt).toBe(START + 300_000)
    const claims = await tokens.verify(token)
    const iat = START / 1000
    expect(claims).toEqual({ ...GRANT, iss: NAME, aud: NAME, iat, nbf: iat, exp: iat + 300, jti: claims.jti })
    expect(claims.jti).toMatch(/^[A-Za-z0-9_-]{32}$/)
    expect(decodeProtectedHeader(token)).toMatchObject({ alg: 'ES256', typ: 'at+jwt' })
    now = START + 304_999
    expect(await reasonOf(token)).toBe('accepted')
    now = START + 305_000
    expect(await reasonOf(token)).toBe('token-expired')
  })

  test('fit a first frame together with a proof, with twenty roles', async () => {
    const roles = Array.from({ length: 20 }, (_, index) => `role-${index}-of-twenty`)
    const { token } = await tokens.issue({ ...GRANT, roles }, 300)
    expect(token.length).toBeLessThan(2_000)
  })

  test('R-13: of one installation are refused by another that shares its keys', async () => {
    const foreign = createAccessTokens(keys, '00000000-1f0a-4c53-9a34-0f2f6a3b1c11', () => now)
    expect(await reasonOf((await foreign.issue(GRANT, 300)).token)).toBe('token')
  })

  describe('R-12: the corpus of forged and twisted tokens', () => {
    let header: Record<string, unknown>
    let claims: Record<string, unknown>
    let good: string
    let jwk: JWK
    let pem: string

    beforeEach(async () => {
      good = (await tokens.issue(GRANT, 300)).token
      header = decodeProtectedHeader(good)
      claims = decodeJwt(good)
      jwk = (await keys.jwks()).keys[0] as JWK
      pem = JSON.parse(readFileSync(join(folder, readdirSync(folder)[0] ?? ''), 'utf8')).privateKey as string
    })

    const ours = (claimed: object, typ = 'at+jwt') => keys.sign(typ, claimed)

    test.each(['none', 'None', 'NONE', 'nOnE', '', 'HS256', 'es256', 'RS256', 'ES384', 'PS256', 'EdDSA', 'dir'])(
      'alg %j',
      async (alg) => {
        const input = `${encode({ ...header, alg })}.${encode(claims)}`
        for (const signature of ['', good.split('.')[2], encode('x')])
          expect(await reasonOf(`${input}.${signature}`)).toBe('token')
      },
    )

    test('HS256 with each encoding of the public key as its secret', async () => {
      const publicKey: KeyObject = createPublicKey(pem)
      const spki = publicKey.export({ format: 'pem', type: 'spki' }).toString()
      const secrets = [
        spki,
        spki.trim(),
        spki.replaceAll('\n', ''),
        ` ${spki}`,
        `\n${spki}`,
        publicKey.export({ format: 'der', type: 'spki' }),
        JSON.stringify(jwk),
        JSON.stringify(await keys.jwks()),
        jwk.x ?? '',
        Buffer.from(jwk.x ?? '', 'base64url'),
      ]
      const input = `${encode({ ...header, alg: 'HS256' })}.${encode(claims)}`
      for (const secret of secrets) {
        const signature = createHmac('sha256', secret).update(input).digest('base64url')
        expect(await reasonOf(`${input}.${signature}`)).toBe('token')
      }
    })

    test.each([
      ['another kid', { kid: 'x'.repeat(43) }],
      ['no kid', { kid: undefined }],
      ['a kid that is a path', { kid: '../root.key' }],
      ['a kid that is a number', { kid: 1 }],
      ['jku', { jku: 'https://evil.test/jwks.json' }],
      ['x5u', { x5u: 'https://evil.test/cert.pem' }],
      ['an embedded key', { jwk: { kty: 'EC' } }],
      ['crit', { crit: ['b64'], b64: false }],
      ['typ JWT', { typ: 'JWT' }],
      ['no typ', { typ: undefined }],
      ['the typ of a proof', { typ: 'dpop+jwt' }],
      ['one harmless parameter more', { note: 'a' }],
    ])('a header with %s, signed by our own key', async (_name, twist) => {
      const key = await import('node:crypto').then(({ createPrivateKey }) => createPrivateKey(pem))
      const signer = new SignJWT(claims).setProtectedHeader({ ...header, ...(twist as object), alg: 'ES256' })
      const token = await signer
        .sign(key, { crit: { b64: true } })
        .catch(() => `${encode({ ...header, ...twist })}.e30.AA`)
      expect(await reasonOf(token)).toBe('token')
    })

    test('a foreign key under our kid', async () => {
      const { privateKey } = await generateKeyPair('ES256')
      expect(
        await reasonOf(await new SignJWT(claims).setProtectedHeader(header as { alg: string }).sign(privateKey)),
      ).toBe('token')
    })

    test.each([
      ['no exp', { exp: undefined }],
      ['exp as text', { exp: '9999999999' }],
      ['exp in the past', { exp: START / 1000 - 6 }],
      ['nbf in the future', { nbf: START / 1000 + 6 }],
      ['no nbf', { nbf: undefined }],
      ['no iat', { iat: undefined }],
      ['no jti', { jti: undefined }],
      ['another issuer', { iss: 'https://evil.test' }],
      ['a list of issuers', { iss: [NAME] }],
      ['another audience', { aud: 'urn:wardline:other' }],
      ['no audience', { aud: undefined }],
      ['a list of audiences', { aud: [NAME, 'https://evil.test'] }],
      ['no tenant', { tenant: undefined }],
      ['a subject that is no id', { sub: 'admin' }],
      ['no binding', { cnf: undefined }],
      ['a binding to a certificate alone', { cnf: { 'x5t#S256': 'a' } }],
      ['a claim more', { admin: true }],
    ])('claims with %s, signed by our own key', async (_name, twist) => {
      expect(await reasonOf(await ours({ ...claims, ...twist }))).toMatch(/^token(-expired)?$/)
    })

    test('five parts, a huge one, an empty one, none', async () => {
      for (const token of [
        `${good}.a.b`,
        `${'A'.repeat(5_000_000)}.e30.AA`,
        '',
        '..',
        'null',
        good.replaceAll('.', '..'),
      ]) {
        expect(await reasonOf(token)).toBe('token')
      }
    })
  })
})
