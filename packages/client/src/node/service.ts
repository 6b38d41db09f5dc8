import { createPublicKey, hash, type KeyObject, randomBytes, sign } from 'node:crypto'
import { JWT_BEARER, type RefreshAnswer, type SignedInUser, serviceToken } from '@wardline/protocol'
import type { Wardline } from '../client.ts'
import type { Call, Http } from '../http.ts'

const TOKEN_PATH = '/oauth/token'
/** An assertion is good for so many seconds. */
const LIFE_SECONDS = 60

/** What an administrator was told when the account was made, and the private key of the public one that they were given. */
export type ServiceCredentials = {
  /** As `riverside/ehr-feed`. */
  readonly clientId: string
  /** P-256, P-384, Ed25519 or RSA. */
  readonly key: KeyObject
  /** Less than the account may have; by default all of it. */
  readonly scope?: string
}

/**
 * Signs a program in by its key (RFC 7523, R-23), and keeps it signed in: each token is fetched by a new assertion. Throws
 * WardlineError `unauthenticated` where account, key or clock are not what the server knows.
 * @param origin of the server, as in `url`: `https://host[:port]`
 */
export async function signInAsService(
  wardline: Wardline,
  origin: string,
  credentials: ServiceCredentials,
): Promise<SignedInUser> {
  const kid = thumbprintOf(credentials.key)
  return wardline.session.signInByAssertion((http) => fetchToken(http, origin, credentials, kid))
}

async function fetchToken(
  http: Http,
  origin: string,
  { clientId, key, scope }: ServiceCredentials,
  kid: string,
): Promise<RefreshAnswer> {
  const call: Call<ReturnType<typeof serviceToken.parse>> = {
    method: 'POST',
    path: TOKEN_PATH,
    form: {
      grant_type: 'client_credentials',
      client_assertion_type: JWT_BEARER,
      client_assertion: assertion(clientId, `${new URL(origin).origin}/api/v1${TOKEN_PATH}`, key, kid),
      ...(scope === undefined ? {} : { scope }),
    },
    answer: serviceToken,
  }
  const { access_token: accessToken, expires_in: expiresIn, user } = await http.send(call, {})
  return { accessToken, expiresIn, csrfToken: NO_CSRF, user }
}

/** A program has no cookie, and so nothing that another site could misuse. */
const NO_CSRF = ''

function assertion(clientId: string, audience: string, key: KeyObject, kid: string): string {
  const { alg, digest, dsaEncoding } = algorithmOf(key)
  const iat = Math.floor(Date.now() / 1000)
  const jti = randomBytes(24).toString('base64url')
  const claims = { iss: clientId, sub: clientId, aud: audience, iat, exp: iat + LIFE_SECONDS, jti }
  const input = [{ alg, kid, typ: 'JWT' }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${input}.${sign(digest, Buffer.from(input), { key, dsaEncoding }).toString('base64url')}`
}

function algorithmOf(key: KeyObject): { alg: string; digest: string | null; dsaEncoding: 'ieee-p1363' } {
  const dsaEncoding = 'ieee-p1363' as const
  if (key.asymmetricKeyType === 'ed25519') return { alg: 'EdDSA', digest: null, dsaEncoding }
  if (key.asymmetricKeyType === 'rsa') return { alg: 'RS384', digest: 'sha384', dsaEncoding }
  const isLarge = key.asymmetricKeyDetails?.namedCurve === 'secp384r1'
  return { alg: isLarge ? 'ES384' : 'ES256', digest: isLarge ? 'sha384' : 'sha256', dsaEncoding }
}

/** RFC 7638. */
function thumbprintOf(key: KeyObject): string {
  const { kty, crv, x, y, n, e } = createPublicKey(key).export({ format: 'jwk' })
  const members = kty === 'RSA' ? { e, kty, n } : kty === 'OKP' ? { crv, kty, x } : { crv, kty, x, y }
  return hash('sha256', JSON.stringify(members), 'base64url')
}
