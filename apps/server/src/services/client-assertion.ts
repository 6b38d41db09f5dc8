import { createHash, type JsonWebKey } from 'node:crypto'
import { jwtVerify } from 'jose'
import { z } from 'zod'
import { Refusal } from '../errors.ts'
import { readJws } from '../sessions/jws.ts'
import type { UsedProofs } from '../sessions/used-proofs.ts'
import { pinned } from './key.ts'

/** A program that asserts itself does so for now: this far ahead of our clock at most, in ms … */
const MAX_LIFE_MS = 300_000
/** … give or take what clocks differ. */
const LEEWAY_MS = 5_000

const TYPES: readonly unknown[] = [undefined, 'JWT', 'client-authentication+jwt']
const CLIENT_ID = /^([a-z0-9][a-z0-9-]{0,62})\/([^/\s]{1,128})$/

/** Who a program says it is, by the names of its organisation and of its account. */
export type ClaimedClient = { readonly clientId: string; readonly tenant: string; readonly username: string }

/** Reads who an assertion is by, before anybody has verified it. @throws Refusal `unauthenticated` */
export function claimedClient(assertion: string): ClaimedClient {
  const subject = readJws(assertion)?.payload['sub']
  const clientId = typeof subject === 'string' ? subject : ''
  const [, tenant, username] = CLIENT_ID.exec(clientId) ?? []
  if (tenant === undefined || username === undefined) throw new Refusal('unauthenticated', 'token')
  return { clientId, tenant, username }
}

const claims = z.object({
  aud: z.string(),
  exp: z.number(),
  jti: z.string().min(16).max(128),
})

export type AssertionTarget = {
  readonly client: ClaimedClient
  /** The public keys of the account, by `kid`. */
  readonly keys: ReadonlyMap<string, JsonWebKey>
  readonly isAudience: (audience: string) => boolean
  readonly now: number
}

/**
 * Verifies an assertion (RFC 7523 §3): by a key of the account with its own algorithm, by and about this client, for this server
 * alone (a list of audiences is none: whoever else is named there could use it here), for five minutes at most.
 * @returns what has to be remembered of it so that it is good once, and which key it was by
 * @throws Refusal `unauthenticated`
 */
export async function checkAssertion(
  assertion: string,
  { client, keys, isAudience, now }: AssertionTarget,
): Promise<Parameters<UsedProofs['use']>[0] & { readonly kid: string }> {
  const header = readJws(assertion)?.header ?? {}
  const kid = header['kid']
  const isOurs = Object.keys(header).every((name) => ['alg', 'kid', 'typ'].includes(name))
  const stored = typeof kid === 'string' ? keys.get(kid) : undefined
  if (typeof kid !== 'string' || stored === undefined || !isOurs || !TYPES.includes(header['typ'])) {
    throw new Refusal('unauthenticated', 'token')
  }
  try {
    const { key, algorithm } = pinned(stored)
    const { payload } = await jwtVerify(assertion, key, {
      algorithms: [algorithm],
      issuer: client.clientId,
      subject: client.clientId,
      currentDate: new Date(now),
      clockTolerance: LEEWAY_MS / 1000,
    })
    const { aud, exp, jti } = claims.parse(payload)
    const expiresAt = exp * 1000 + LEEWAY_MS
    if (!isAudience(aud) || expiresAt > now + MAX_LIFE_MS + 2 * LEEWAY_MS) throw new Refusal('unauthenticated', 'token')
    const digest = createHash('sha256').update(`assertion ${client.clientId} ${jti}`).digest()
    return { kid, digest, expiresAt }
  } catch (cause) {
    if (cause instanceof Refusal) throw cause
    throw new Refusal('unauthenticated', 'token', { cause })
  }
}
