import { createHash, createPublicKey, type JsonWebKey, verify } from 'node:crypto'
import { promisify } from 'node:util'
import { secretId } from '@wardline/protocol'
import { z } from 'zod'
import { Refusal } from '../errors.ts'
import { readJws } from './jws.ts'

/** A proof may be this old, in milliseconds … */
export const PROOF_MAX_AGE_MS = 60_000
/** … and this far ahead of our clock. */
export const PROOF_MAX_AHEAD_MS = 15_000

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
const sha256 = coordinate

const proofHeader = z.strictObject({
  typ: z.literal('dpop+jwt'),
  alg: z.literal('ES256'),
  jwk: z
    .strictObject({
      kty: z.literal('EC'),
      crv: z.literal('P-256'),
      x: coordinate,
      y: coordinate,
      // What WebCrypto and JOSE libraries add to an exported key (RFC 7517 §4). It says nothing that we go by; `d` is no such thing.
      ext: z.boolean().optional(),
      key_ops: z.array(z.string().max(16)).max(8).optional(),
      kid: z.string().max(128).optional(),
      use: z.literal('sig').optional(),
    })
    .transform(({ kty, crv, x, y }) => ({ kty, crv, x, y })),
})

const proofClaims = z.strictObject({
  htm: z.string().max(16),
  htu: z.string().max(2_048),
  iat: z.number(),
  jti: z.string().regex(/^[A-Za-z0-9_-]{16,128}$/),
  ath: sha256.optional(),
  nonce: secretId.optional(),
})

/** What a proof has to be a proof of. */
export type ProofTarget = {
  /** The method; `GET` on a socket. */
  readonly htm: string
  readonly isTarget: (htu: string) => boolean
  /** The access token that travels beside it; undefined where there is none yet. */
  readonly token: string | undefined
  /** The challenge it answers; undefined over HTTP. */
  readonly nonce: string | undefined
}

export type CheckedProof = {
  /** RFC 7638 thumbprint of the device's key. */
  readonly jkt: string
  /** Names this proof among all: SHA-256 of key and `jti`. */
  readonly digest: Buffer
  /** When its device says that it made it, in ms of the epoch; of whole seconds. */
  readonly issuedAt: number
  /** From then on it would be refused for its age, in ms of the epoch: so long it must be remembered. */
  readonly expiresAt: number
}

const verifyAsync = promisify(verify)

/**
 * Checks a proof of possession (RFC 9449 §4.3), all but whether it came before: signature by the key it names, typ and
 * algorithm, method, URL, time, and where asked for the token's hash and the nonce. By node:crypto, which takes 65 µs where
 * a general JOSE library takes 158 (measures.md), since there is nothing left to negotiate.
 * @param now ms of the epoch
 * @throws Refusal `unauthenticated`, reason `proof` or `nonce`
 */
export async function checkProof(proof: string, target: ProofTarget, now: number): Promise<CheckedProof> {
  const jws = readJws(proof)
  const header = proofHeader.safeParse(jws?.header)
  const claims = proofClaims.safeParse(jws?.payload)
  if (jws === null || !header.success || !claims.success) throw new Refusal('unauthenticated', 'proof')
  if (!(await isSignedBy(header.data.jwk, jws.signingInput, jws.signature)))
    throw new Refusal('unauthenticated', 'proof')
  const { htm, htu, iat, jti, ath, nonce } = claims.data
  const issuedAt = iat * 1000
  if (htm !== target.htm || !target.isTarget(htu)) throw new Refusal('unauthenticated', 'proof')
  if (issuedAt < now - PROOF_MAX_AGE_MS || issuedAt > now + PROOF_MAX_AHEAD_MS)
    throw new Refusal('unauthenticated', 'proof')
  if (ath !== (target.token === undefined ? undefined : hashOf(target.token)))
    throw new Refusal('unauthenticated', 'proof')
  if (nonce !== target.nonce) throw new Refusal('unauthenticated', 'nonce')
  const jkt = thumbprintOf(header.data.jwk)
  return {
    jkt,
    digest: createHash('sha256').update(`${jkt}.${jti}`).digest(),
    issuedAt,
    expiresAt: issuedAt + PROOF_MAX_AGE_MS + PROOF_MAX_AHEAD_MS,
  }
}

/** A point that is not on the curve is no key, and OpenSSL says so. */
async function isSignedBy(jwk: JsonWebKey, input: Buffer, signature: Buffer): Promise<boolean> {
  try {
    const key = createPublicKey({ key: jwk, format: 'jwk' })
    return await verifyAsync('sha256', input, { key, dsaEncoding: 'ieee-p1363' }, signature)
  } catch {
    return false
  }
}

/** RFC 7638 §3.2 for EC keys: the required members in the order of their names. */
function thumbprintOf({ crv, kty, x, y }: JsonWebKey): string {
  return hashOf(JSON.stringify({ crv, kty, x, y }))
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64url')
}
