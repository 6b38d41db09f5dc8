import { z } from 'zod'
import { roleName, timestamp, username, uuid } from './ids.ts'
import { signedInUser } from './session.ts'
import { plainName } from './text.ts'

const base64url = (bytes: number) => z.string().regex(new RegExp(`^[A-Za-z0-9_-]{${Math.ceil((bytes * 4) / 3)}}$`))

/** What may stand beside a public key (RFC 7517 §4) and is not looked at. */
const beside = {
  kid: z.string().max(128).optional(),
  use: z.literal('sig').optional(),
  alg: z.string().max(16).optional(),
  key_ops: z.array(z.string().max(16)).max(8).optional(),
  ext: z.boolean().optional(),
}

/**
 * A public key by which a program signs what it says of itself (RFC 7523): P-256 (ES256), P-384 (ES384), Ed25519 (EdDSA) or RSA of
 * 2,048 bits or more (RS384). Strict: one with its private half is refused.
 */
export const publicJwk = z.discriminatedUnion('kty', [
  z.strictObject({
    kty: z.literal('EC'),
    crv: z.enum(['P-256', 'P-384']),
    x: z.string().regex(/^[A-Za-z0-9_-]{43,64}$/),
    y: z.string().regex(/^[A-Za-z0-9_-]{43,64}$/),
    ...beside,
  }),
  z.strictObject({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: base64url(32), ...beside }),
  z.strictObject({
    kty: z.literal('RSA'),
    n: z.string().regex(/^[A-Za-z0-9_-]{342,684}$/),
    e: z.literal('AQAB'),
    ...beside,
  }),
])
export type PublicJwk = z.infer<typeof publicJwk>

/** Words of the policy’s scopes, separated by single spaces, as `patient:read:<id> channel:post:<id>`. */
const scope = z.string().min(1).max(3_000)
const kid = z.string().regex(/^[A-Za-z0-9_-]{43}$/)

/** A program’s account. `clientId` is what it calls itself. */
export const serviceAccount = z.strictObject({
  id: uuid,
  clientId: z.string(),
  username,
  displayName: z.string(),
  roles: z.array(roleName),
  scope: z.string(),
  /** By their RFC 7638 thumbprints. */
  keys: z.array(z.strictObject({ kid, createdAt: timestamp })),
  disabled: z.boolean(),
  createdAt: timestamp,
})
export type ServiceAccount = z.infer<typeof serviceAccount>

export const createService = z.strictObject({
  username,
  displayName: plainName,
  roles: z.array(roleName).max(20),
  scope,
  key: publicJwk,
})

/** Another scope, one more key, one key less. A narrower account is signed out, and comes back as what it is now. */
export const changeService = z.strictObject({
  scope: scope.optional(),
  addKey: publicJwk.optional(),
  removeKey: kid.optional(),
})

/** RFC 6749 §5.1, and who it is: a program’s access token. There is no refresh token: it asserts itself anew. */
export const serviceToken = z.strictObject({
  access_token: z.string(),
  token_type: z.literal('DPoP'),
  /** Seconds. */
  expires_in: z.int().min(1),
  scope: z.string(),
  user: signedInUser,
})
export type ServiceToken = z.infer<typeof serviceToken>

/** RFC 7523 §2.2. */
export const JWT_BEARER = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
