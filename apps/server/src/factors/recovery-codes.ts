import { createHash, randomInt } from 'node:crypto'

/** How many are given at once. */
const RECOVERY_CODES = 10
/** Crockford's base 32: no i, l, o or u. Sixteen are 80 bits: nothing to guess, so a plain hash of it will do. */
const ALPHABET = '0123456789abcdefghjkmnpqrstvwxyz'
const LENGTH = 16

/** New codes, as they are shown: four groups of four. */
export function newRecoveryCodes(): string[] {
  return Array.from({ length: RECOVERY_CODES }, () => {
    const letters = Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')
    return letters.replaceAll(/(.{4})(?=.)/g, '$1-')
  })
}

/** What the database knows of a code, however its user spells it; bound to them, so that no two users' codes are compared. */
export function recoveryCodeDigest(tenant: string, user: string, code: string): Uint8Array<ArrayBuffer> {
  const spelt = code
    .toLowerCase()
    .replaceAll(/[^a-z0-9]/g, '')
    .replaceAll('o', '0')
    .replaceAll(/[il]/g, '1')
  return new Uint8Array(createHash('sha256').update(`${tenant}|${user}|${spelt}`).digest())
}
