import { readFileSync } from 'node:fs'
import type { RefusalWhy } from '@wardline/protocol'

/** Lower case, NFKC, eight characters and more: shorter ones are no passwords here at all. Sorted, so that a change is readable. */
const COMMON: ReadonlySet<string> = new Set(
  readFileSync(new URL('./common-passwords.txt', import.meta.url), 'utf8')
    .split('\n')
    .filter(Boolean),
)

/** Names of an account that its password may not be made of. */
export type PasswordOwner = { readonly username: string; readonly tenant: string }

/** So many characters beside the account's own name make no difference to who guesses. */
const AROUND_A_NAME = 4

/**
 * Why a password that is newly set is refused, or null where it is fine (R-10; NIST SP 800-63B §3.1.1.2: compared with those
 * commonly used, with words of the context, and with repetitions; no rules of composition).
 */
export function whyRefused(password: string, { username, tenant }: PasswordOwner): RefusalWhy | null {
  const folded = password.normalize('NFKC').toLowerCase()
  if (COMMON.has(folded) || isRepetition(folded)) return 'password-common'
  const letters = lettersOf(folded)
  const names = [username, tenant, ...username.split(/[^a-z0-9]+/)].map(lettersOf).filter((name) => name.length >= 4)
  const ofName = names.some((name) => letters.includes(name) && letters.length - name.length < AROUND_A_NAME)
  return ofName ? 'password-of-account' : null
}

function lettersOf(text: string): string {
  return text.replaceAll(/[^\p{L}\p{N}]/gu, '')
}

/** One, two or three characters over and over. */
function isRepetition(text: string): boolean {
  return /^(.{1,3})\1+$/su.test(text)
}
