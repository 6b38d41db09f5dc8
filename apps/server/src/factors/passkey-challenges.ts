import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Clock } from '../clock.ts'
import type { UsedProofs } from '../sessions/used-proofs.ts'

/** What a challenge is good for: each is bound to that, to whom it was given, and to the device that asked. */
export type ChallengeFor =
  | { readonly use: 'sign-in'; readonly jkt: string }
  | { readonly use: 'second-factor'; readonly jkt: string; readonly tenant: string; readonly challenge: Uint8Array }
  | {
      readonly use: 'enrol' | 'confirm'
      readonly jkt: string
      readonly tenant: string
      readonly user: string
      readonly session: string
    }

export type PasskeyChallenges = {
  /** A new challenge, in base64url. */
  issue(use: ChallengeFor): string
  /** Whether it was given out for this, and is not too old. In constant time, without a look at the store. */
  isFor(challenge: string, use: ChallengeFor): boolean
  /** True the first time, on whichever node. @throws StorageUnavailable */
  spend(challenge: string): Promise<boolean>
}

/** How long the person has to find the authenticator (WebAuthn §15.1 recommends 5 minutes). */
export const CHALLENGE_MS = 5 * 60_000
const NONCE_BYTES = 16
const TIME_BYTES = 6
const MAC_BYTES = 32
const BYTES = NONCE_BYTES + TIME_BYTES + MAC_BYTES

/**
 * Challenges that are kept nowhere until they are used: 128 random bits, when they expire, and an HMAC over both and over what
 * they are for. A stranger who asks for a million of them takes up no room; the one that is answered is remembered with the
 * proofs that were used, until it has expired.
 * @param key 32 bytes derived from the root key for this alone, so that every node knows its own
 */
export function createPasskeyChallenges(
  key: Uint8Array,
  usedProofs: Pick<UsedProofs, 'use'>,
  clock: Pick<Clock, 'now'>,
): PasskeyChallenges {
  const macOf = (head: Buffer, use: ChallengeFor) =>
    createHmac('sha256', key).update(head).update(bindingOf(use)).digest()

  return {
    issue(use) {
      const expiresAt = Buffer.alloc(TIME_BYTES)
      expiresAt.writeUIntBE(clock.now() + CHALLENGE_MS, 0, TIME_BYTES)
      const head = Buffer.concat([randomBytes(NONCE_BYTES), expiresAt])
      return Buffer.concat([head, macOf(head, use)]).toString('base64url')
    },
    isFor(challenge, use) {
      const bytes = Buffer.from(challenge, 'base64url')
      if (bytes.length !== BYTES) return false
      const head = bytes.subarray(0, BYTES - MAC_BYTES)
      return timingSafeEqual(bytes.subarray(-MAC_BYTES), macOf(head, use)) && clock.now() < expiryOf(bytes)
    },
    async spend(challenge) {
      const bytes = Buffer.from(challenge, 'base64url')
      const digest = createHash('sha256').update('passkey.').update(bytes).digest()
      return usedProofs.use({ digest, expiresAt: expiryOf(bytes) })
    },
  }
}

function expiryOf(bytes: Buffer): number {
  return bytes.readUIntBE(NONCE_BYTES, TIME_BYTES)
}

function bindingOf(use: ChallengeFor): string {
  switch (use.use) {
    case 'sign-in':
      return `${use.use}|${use.jkt}`
    case 'second-factor':
      return `${use.use}|${use.jkt}|${use.tenant}|${Buffer.from(use.challenge).toString('hex')}`
    case 'enrol':
    case 'confirm':
      return `${use.use}|${use.jkt}|${use.tenant}|${use.user}|${use.session}`
  }
}
