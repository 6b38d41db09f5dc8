import { verifyAuthenticationResponse, verifyRegistrationResponse } from '@simplewebauthn/server'
import { cose, decodeAttestationObject, decodeCredentialPublicKey } from '@simplewebauthn/server/helpers'
import type { PasskeyAssertion, PasskeyAttestation } from '@wardline/protocol'
import { z } from 'zod'
import type { AuditReason } from '../audit/vocabulary.ts'
import type { Site } from '../http/site.ts'
import { isUnavailable } from '../storage/errors.ts'
import type { ChallengeFor, PasskeyChallenges } from './passkey-challenges.ts'

/** By whom and for what an authenticator's answer is judged. */
export type RelyingParty = {
  readonly site: Pick<Site, 'rpId' | 'passkeyOrigins'>
  readonly challenges: PasskeyChallenges
}

/** What is kept of a credential. */
export type Credential = {
  readonly id: Uint8Array<ArrayBuffer>
  /** COSE_Key (RFC 9052 §7). */
  readonly publicKey: Uint8Array<ArrayBuffer>
  readonly algorithm: number
  readonly counter: number
  readonly synced: boolean
  readonly backedUp: boolean
}

/** What an authenticator has signed. Whether its counter has gone on is for the transaction that writes it to see. */
export type Signed = { readonly counter: number; readonly backedUp: boolean }

/** COSE numbers (RFC 9053): what authenticators sign with, the shortest first, and RSA for those of Windows. */
export const ALGORITHMS: readonly number[] = [cose.COSEALG.ES256, cose.COSEALG.EdDSA, cose.COSEALG.RS256]

const clientData = z.looseObject({ challenge: z.string(), crossOrigin: z.boolean().optional() })

/**
 * Judges what an authenticator answered to a challenge of ours (WebAuthn §7.2): challenge, origin, relying party, presence and
 * verification of the person, signature. Spends the challenge where all of it holds.
 * @returns why not, for the audit
 */
export async function verifyAssertion(
  { site, challenges }: RelyingParty,
  { id, publicKey }: Pick<Credential, 'id' | 'publicKey'>,
  given: PasskeyAssertion,
  use: ChallengeFor,
): Promise<Signed | AuditReason> {
  const challenge = challengeIn(given.clientDataJSON)
  if (challenge === null || !challenges.isFor(challenge, use)) return 'challenge'
  if (site.rpId === null) return 'passkey'
  try {
    const { verified, authenticationInfo } = await verifyAuthenticationResponse({
      response: {
        id: given.id,
        rawId: given.id,
        type: 'public-key',
        clientExtensionResults: {},
        response: {
          clientDataJSON: given.clientDataJSON,
          authenticatorData: given.authenticatorData,
          signature: given.signature,
        },
      },
      expectedChallenge: challenge,
      expectedOrigin: [...site.passkeyOrigins],
      expectedRPID: site.rpId,
      requireUserVerification: true,
      // Zero: the counter is compared in the transaction, where two answers at once cannot both be the next.
      credential: { id: Buffer.from(id).toString('base64url'), publicKey, counter: 0 },
    })
    if (!verified) return 'passkey'
    if (!(await challenges.spend(challenge))) return 'challenge'
    return { counter: authenticationInfo.newCounter, backedUp: authenticationInfo.credentialBackedUp }
  } catch (error) {
    return passingOn(error)
  }
}

/** Judges a new credential (WebAuthn §7.1), as `verifyAssertion` judges an answer. */
export async function verifyAttestation(
  { site, challenges }: RelyingParty,
  given: PasskeyAttestation,
  use: ChallengeFor,
): Promise<Credential | AuditReason> {
  const challenge = challengeIn(given.clientDataJSON)
  if (challenge === null || !challenges.isFor(challenge, use)) return 'challenge'
  if (site.rpId === null) return 'passkey'
  try {
    // None was asked for. A statement with certificates names addresses to fetch their revocation lists from: not with us.
    if (!isUnattested(given.attestationObject)) return 'passkey'
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: {
        id: given.id,
        rawId: given.id,
        type: 'public-key',
        clientExtensionResults: {},
        response: { clientDataJSON: given.clientDataJSON, attestationObject: given.attestationObject },
      },
      expectedChallenge: challenge,
      expectedOrigin: [...site.passkeyOrigins],
      expectedRPID: site.rpId,
      requireUserVerification: true,
      supportedAlgorithmIDs: [...ALGORITHMS],
    })
    if (!verified || registrationInfo.credential.id !== given.id) return 'passkey'
    if (!(await challenges.spend(challenge))) return 'challenge'
    const { credential, credentialDeviceType, credentialBackedUp } = registrationInfo
    return {
      id: new Uint8Array(Buffer.from(credential.id, 'base64url')),
      publicKey: new Uint8Array(credential.publicKey),
      algorithm: Number(decodeCredentialPublicKey(credential.publicKey).get(cose.COSEKEYS.alg)),
      counter: credential.counter,
      synced: credentialDeviceType === 'multiDevice',
      backedUp: credentialBackedUp,
    }
  } catch (error) {
    return passingOn(error)
  }
}

/** The challenge that the browser says it answers; null for what no browser of a page of ours would say. */
function challengeIn(clientDataJSON: string): string | null {
  try {
    const said = clientData.parse(JSON.parse(Buffer.from(clientDataJSON, 'base64url').toString()))
    return said.crossOrigin === true ? null : said.challenge
  } catch {
    return null
  }
}

function isUnattested(attestationObject: string): boolean {
  const decoded = decodeAttestationObject(new Uint8Array(Buffer.from(attestationObject, 'base64url')))
  const fmt = decoded.get('fmt')
  return fmt === 'none' || (fmt === 'packed' && decoded.get('attStmt').get('x5c') === undefined)
}

/** The library throws for whatever does not hold; the store's absence is no fault of the asker's. */
function passingOn(error: unknown): AuditReason {
  if (isUnavailable(error)) throw error
  return 'passkey'
}
