import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DeviceKey } from '../../_util/device-key.ts'
import { claimsOf, headerOf, type Person } from '../../_util/person.ts'
import type { TestServer } from '../../_util/server.ts'

/** What an attacker works with who has a living token, and, to be generous, the server's own private key. */
export type Forger = {
  readonly token: string
  readonly header: Record<string, unknown>
  readonly claims: Record<string, unknown>
  /** The key that signs tokens here; with it only what a token says is wrong, and nothing else. */
  readonly ours: KeyObject
  readonly ourPublic: KeyObject
  /** Nobody's. */
  readonly foreign: KeyObject
  readonly foreignJwk: object
  readonly device: DeviceKey
}

export function forgerWith(server: TestServer, person: Person): Forger {
  const folder = join(server.dataDir, 'keys', 'signing')
  const [name = ''] = readdirSync(folder)
  const ours = createPrivateKey(
    (JSON.parse(readFileSync(join(folder, name), 'utf8')) as { privateKey: string }).privateKey,
  )
  const foreign = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return {
    token: person.token,
    header: headerOf(person.token),
    claims: claimsOf(person.token),
    ours,
    ourPublic: createPublicKey(ours),
    foreign: foreign.privateKey,
    foreignJwk: foreign.publicKey.export({ format: 'jwk' }),
    device: person.key,
  }
}

/** Parts as text are put in as they are: for JSON that no encoder writes. */
export function input(header: object | string, claims: object | string): string {
  return [header, claims]
    .map((part) => Buffer.from(typeof part === 'string' ? part : JSON.stringify(part)).toString('base64url'))
    .join('.')
}

export function es256(header: object | string, claims: object | string, key: KeyObject): string {
  const text = input(header, claims)
  return `${text}.${sign('sha256', Buffer.from(text), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
}

export function hs256(header: object, claims: object, secret: string | Buffer): string {
  const text = input({ ...header, alg: 'HS256' }, claims)
  return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`
}

/** Every form in which somebody may have handed a public key to a library that takes it for a secret. */
export function encodingsOf(publicKey: KeyObject, jwks: object): [string, string | Buffer][] {
  const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString()
  const der = publicKey.export({ format: 'der', type: 'spki' })
  const jwk = publicKey.export({ format: 'jwk' })
  const body = pem.split('\n').slice(1, -2).join('')
  return [
    ['PEM', pem],
    ['PEM without its last newline', pem.trimEnd()],
    ['PEM after a space (fast-jwt CVE-2026-34950)', ` ${pem}`],
    ['PEM after a newline', `\n${pem}`],
    ['PEM with CRLF', pem.replaceAll('\n', '\r\n')],
    ['PEM in one line', pem.replaceAll('\n', '')],
    ['the base64 of the PEM', body],
    ['DER', der],
    ['DER as base64', der.toString('base64')],
    ['JWK', JSON.stringify(jwk)],
    ['JWKS', JSON.stringify(jwks)],
    [
      'the point',
      Buffer.concat([Buffer.from([4]), ...[jwk.x, jwk.y].map((part) => Buffer.from(part ?? '', 'base64url'))]),
    ],
    ['x alone', jwk.x ?? ''],
    ['nothing', ''],
  ]
}
