import { createPublicKey } from 'node:crypto'
import { encodingsOf, es256, type Forger, hs256, input } from './forger.ts'

export type Forged = readonly [name: string, forge: (forger: Forger) => string]

/** Nobody may ever be asked for anything at this address: it would be seen. */
export const EVIL = 'https://evil.test/keys.json'

const algorithms: Forged[] = [
  'none',
  'None',
  'NONE',
  'nOnE',
  '',
  'HS256',
  'es256',
  'ES384',
  'RS256',
  'PS256',
  'EdDSA',
  'dir',
].flatMap((alg): Forged[] => [
  [`alg ${alg || 'empty'} with an empty signature`, ({ header, claims }) => `${input({ ...header, alg }, claims)}.`],
  [
    `alg ${alg || 'empty'} with our signature`,
    ({ token, header, claims }) => `${input({ ...header, alg }, claims)}.${token.split('.')[2]}`,
  ],
  [`alg ${alg || 'empty'} signed by our key`, ({ header, claims, ours }) => es256({ ...header, alg }, claims, ours)],
])

const confusion: Forged[] = encodingsOf(placeholder(), {}).map(([name], index) => [
  `HS256 with our public key as its secret: ${name}`,
  ({ header, claims, ourPublic }) => {
    const [, secret] = encodingsOf(ourPublic, { keys: [ourPublic.export({ format: 'jwk' })] })[index] ?? ['', '']
    return hs256(header, claims, secret)
  },
])

/** Signed by our own key: what is wrong is that the header says more, or other, than ours does. */
const headers: Forged[] = Object.entries({
  'another kid': { kid: 'x'.repeat(43) },
  'no kid': { kid: undefined },
  'a kid that is a path': { kid: '../root.key' },
  'a kid that is an address': { kid: EVIL },
  'a kid that is a number': { kid: 1 },
  'a kid of a prototype': { kid: '__proto__' },
  jku: { jku: EVIL },
  x5u: { x5u: EVIL },
  x5c: { x5c: ['AAAA'] },
  'an embedded key': { jwk: { kty: 'EC' } },
  crit: { crit: ['b64'], b64: false },
  'typ JWT': { typ: 'JWT' },
  'typ at+JWT': { typ: 'at+JWT' },
  'no typ': { typ: undefined },
  'the typ of a proof': { typ: 'dpop+jwt' },
  'a content type': { cty: 'JWT' },
  compression: { zip: 'DEF' },
}).map(([name, twist]) => [
  `header: ${name}`,
  ({ header, claims, ours }) => es256({ ...header, ...twist }, claims, ours),
])

const foreign: Forged[] = [
  ['a foreign key under our kid', ({ header, claims, foreign: key }) => es256(header, claims, key)],
  [
    'a foreign key, and where to find it',
    ({ header, claims, foreign: key }) => es256({ ...header, jku: EVIL, kid: 'a' }, claims, key),
  ],
  [
    'a foreign key, brought along',
    ({ header, claims, foreign: key, foreignJwk }) => es256({ ...header, jwk: foreignJwk }, claims, key),
  ],
  [
    'a foreign key under its own kid',
    ({ header, claims, foreign: key }) => es256({ ...header, kid: 'f'.repeat(43) }, claims, key),
  ],
]

/** Signed by our own key: what is wrong is what the token says. */
const said: Forged[] = Object.entries({
  'no exp': { exp: undefined },
  'exp as text': { exp: '9999999999' },
  'exp in the past': { exp: 1_700_000_000 },
  'exp beyond any number': { exp: 1e300 },
  'nbf in the future': { nbf: 4_000_000_000 },
  'no nbf': { nbf: undefined },
  'no iat': { iat: undefined },
  'no jti': { jti: undefined },
  'no client_id': { client_id: undefined },
  'another issuer, same kid': { iss: 'https://evil.test' },
  'no issuer': { iss: undefined },
  'a list of issuers': { iss: ['urn:wardline:a'] },
  'another audience': { aud: 'urn:wardline:other' },
  'no audience': { aud: undefined },
  'a list of audiences, ours among them': { aud: ['urn:wardline:a', EVIL] },
  'no tenant': { tenant: undefined },
  'a subject that is no id': { sub: 'admin' },
  'a session that never was': { sid: 's'.repeat(32) },
  'no session': { sid: undefined },
  'no binding': { cnf: undefined },
  'a binding to another key': { cnf: { jkt: 'j'.repeat(43) } },
  'a binding to a certificate alone': { cnf: { 'x5t#S256': 'a' } },
  'a claim more': { admin: true },
  'roles as text': { roles: 'administrator' },
}).map(([name, twist]) => [
  `claims: ${name}`,
  ({ header, claims, ours }) => es256(header, { ...claims, ...twist }, ours),
])

const twice: Forged[] = ['sub', 'exp', 'tenant', 'iss', 'cnf'].map((name) => [
  `claims: ${name} twice`,
  ({ header, claims, ours }) =>
    es256(
      header,
      JSON.stringify(claims).replace('{', `{${JSON.stringify(name)}:${JSON.stringify(claims[name])},`),
      ours,
    ),
])

const forms: Forged[] = [
  [
    'a header with alg twice',
    ({ header, claims, ours }) => es256(JSON.stringify(header).replace('{', '{"alg":"none",'), claims, ours),
  ],
  [
    'an escaped name twice',
    ({ header, claims, ours }) => es256(header, JSON.stringify(claims).replace('{', '{"\\u0073ub":"x",'), ours),
  ],
  ['claims that are a list', ({ header, ours }) => es256(header, '[]', ours)],
  ['claims that are null', ({ header, ours }) => es256(header, 'null', ours)],
  ['claims that are no JSON', ({ header, ours }) => es256(header, '{"sub":', ours)],
  [
    'claims after a byte order mark',
    ({ header, claims, ours }) => es256(header, `\ufeff${JSON.stringify(claims)}`, ours),
  ],
  ['five parts (jose CVE-2024-28176)', ({ token }) => `${token}.AAAA.AAAA`],
  [
    'five parts that ask for a hundred million rounds',
    () =>
      `${input({ alg: 'PBES2-HS512+A256KW', enc: 'A256GCM', p2c: 100_000_000, p2s: 'AAAA', zip: 'DEF' }, '')}AAAA.AAAA.AAAA.AAAA`,
  ],
  ['two parts', ({ token }) => token.split('.').slice(0, 2).join('.')],
  ['no parts', () => 'x'],
  ['dots', () => '....'],
  ['a signature cut short', ({ token }) => token.slice(0, -4)],
  ['a signature grown', ({ token }) => `${token}AAAA`],
  ['a signature in another spelling of its last bits', ({ token }) => token.slice(0, -1) + spelling(token.at(-1))],
  [
    'a signature of zeros (CVE-2022-21449)',
    ({ header, claims }) => `${input(header, claims)}.${Buffer.alloc(64).toString('base64url')}`,
  ],
  [
    'changed claims under the old signature',
    ({ token, header, claims }) => `${input(header, { ...claims, roles: ['administrator'] })}.${token.split('.')[2]}`,
  ],
  [
    'the tenant changed under the old signature',
    ({ token, header, claims }) => `${input(header, { ...claims, tenant: claims['sub'] })}.${token.split('.')[2]}`,
  ],
  [
    'one of 3,000 characters',
    ({ header, claims, foreign: key }) => es256(header, { ...claims, scope: 'a'.repeat(1_500) }, key),
  ],
]

/** Tokens that are none. */
export const tokens: readonly Forged[] = [
  ...algorithms,
  ...confusion,
  ...headers,
  ...foreign,
  ...said,
  ...twice,
  ...forms,
]

/** The last of 86 characters holds four bits that count and two that do not: a tolerant decoder takes four spellings. */
function spelling(last = 'A'): string {
  const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  return alphabet[alphabet.indexOf(last) ^ 1] ?? 'B'
}

/** For the names of the encodings alone. */
function placeholder() {
  const x = 'f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU'
  const y = 'x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0'
  return createPublicKey({ key: { kty: 'EC', crv: 'P-256', x, y }, format: 'jwk' })
}
