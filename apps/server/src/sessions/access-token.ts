import { randomBytes } from 'node:crypto'
import { roleName, secretId, uuid } from '@wardline/protocol'
import { errors, jwtVerify } from 'jose'
import { z } from 'zod'
import { Refusal } from '../errors.ts'
import type { SigningKeys } from '../keys/signing-keys.ts'
import { readJws } from './jws.ts'

/** RFC 9068 §2.1. */
const TYPE = 'at+jwt'
/** Clocks of nodes differ by this much at most, in seconds. */
const TOKEN_LEEWAY_SECONDS = 5
/** No token of any tenant lives longer, leeway included: for so long a key verifies what it has signed. */
export const MAX_TOKEN_LIFE_MS = (300 + TOKEN_LEEWAY_SECONDS) * 1000

const seconds = z.int().min(0)
const sha256 = z.string().regex(/^[A-Za-z0-9_-]{43}$/)

/** RFC 9068 profile: what a token says, and nothing else. Never ePHI. */
const accessClaims = z.strictObject({
  iss: z.string(),
  aud: z.string(),
  sub: uuid,
  iat: seconds,
  nbf: seconds,
  exp: seconds,
  jti: secretId,
  /** RFC 9068 §2.2: by which program they have signed in; a service's own `clientId`, and for people `wardline`. */
  client_id: z.string(),
  tenant: uuid,
  sid: secretId,
  roles: z.array(roleName),
  scope: z.string(),
  /** The device's key (RFC 9449 §6.1), and its certificate where those are asked for (RFC 8705 §3.1). */
  cnf: z.strictObject({ jkt: sha256, 'x5t#S256': sha256.optional() }),
  auth_time: seconds,
  acr: z.string(),
  amr: z.array(z.string()),
})
export type AccessClaims = Readonly<z.infer<typeof accessClaims>>

/** What the issuer adds is left out. */
export type AccessGrant = Pick<
  AccessClaims,
  'sub' | 'client_id' | 'tenant' | 'sid' | 'roles' | 'scope' | 'cnf' | 'auth_time' | 'acr' | 'amr'
>

/** 192 random bits in base64url: ids that must not be guessed (protocol.md). */
export function randomSecretId(): string {
  return randomBytes(24).toString('base64url')
}

export type AccessTokens = {
  /** `lifeSeconds` may be shortened to what the session has left. */
  issue(grant: AccessGrant, lifeSeconds: number): Promise<{ readonly token: string; readonly expiresAt: number }>
  /** @throws Refusal `unauthenticated`, reason `token` or `token-expired` */
  verify(token: string): Promise<AccessClaims>
}

/** Tokens of one installation: it is their issuer and their audience, `urn:wardline:<installation id>`. */
export function createAccessTokens(keys: SigningKeys, installation: string, now: () => number): AccessTokens {
  const name = `urn:wardline:${installation}`
  return {
    async issue(grant, lifeSeconds) {
      const iat = Math.floor(now() / 1000)
      const claims = { iss: name, aud: name, iat, nbf: iat, exp: iat + lifeSeconds, jti: randomSecretId(), ...grant }
      return { token: await keys.sign(TYPE, claims satisfies AccessClaims), expiresAt: claims.exp * 1000 }
    },
    async verify(token) {
      const kid = readJws(token)?.header['kid']
      const pinned = typeof kid === 'string' ? await keys.verificationKey(kid) : undefined
      if (pinned === undefined) throw new Refusal('unauthenticated', 'token')
      try {
        const { payload, protectedHeader } = await jwtVerify(token, pinned.key, {
          algorithms: [pinned.algorithm],
          typ: TYPE,
          issuer: name,
          audience: name,
          currentDate: new Date(now()),
          clockTolerance: TOKEN_LEEWAY_SECONDS,
          requiredClaims: ['exp', 'nbf', 'iat', 'jti', 'sub', 'client_id'],
        })
        // Ours have these three; a `jku`, `jwk`, `x5u` or `crit` beside them was never ours.
        // And ours spell their type so: jose takes it in any case, as media types are.
        if (Object.keys(protectedHeader).length !== 3 || protectedHeader.typ !== TYPE)
          throw new Refusal('unauthenticated', 'token')
        return accessClaims.parse(payload)
      } catch (cause) {
        throw new Refusal('unauthenticated', cause instanceof errors.JWTExpired ? 'token-expired' : 'token', { cause })
      }
    },
  }
}
