import { randomBytes } from 'node:crypto'
import { argon2id, type HashOptions, hash, needsRehash, verify } from 'argon2'
import type { Argon2Parameters } from '../config.ts'
import { Refusal } from '../errors.ts'

/** UTF-16 code units, as protocol's schema has it: a megabyte is refused before it is hashed (Mattermost CVE-2026-24458). */
export const MAX_PASSWORD_LENGTH = 1_024
/** How soon a turned-away sign-in may come again: about what 20 hashes take. */
const RETRY_AFTER_MS = 500

export type PasswordVerdict = {
  readonly matches: boolean
  /** The password matches and its hash was made with other parameters than today's: this one replaces it. */
  readonly rehashed: string | null
}

/** Who gives a password: somebody who is signed in, or at a device that this account has signed in with before; or anybody. */
export type Giver = 'known' | 'anybody'

export interface Passwords {
  /** A PHC string (`$argon2id$v=19$m=…`). */
  hash(password: string, giver?: Giver): Promise<string>
  /** Takes the same time where there is no such user, `stored` being null. */
  verify(stored: string | null, password: string, giver: Giver): Promise<PasswordVerdict>
}

/**
 * Argon2id (RFC 9106) behind a queue: `parameters.concurrency` at once, on threads of their own, and at most `maxWaiting`
 * behind them, so that a wave of sign-ins neither stalls the sockets nor eats the memory. One more is `unavailable`. Those who are
 * known have a queue of their own, which goes first: a flood of strangers keeps nobody on shift from unlocking a screen.
 * Passwords are compared as NFKC, since keyboards differ in how they spell an accent (NIST SP 800-63B §3.1.1.2).
 */
export async function createPasswords(parameters: Argon2Parameters, maxWaiting: number): Promise<Passwords> {
  const options: HashOptions = {
    type: argon2id,
    memoryCost: parameters.memoryKiB,
    timeCost: parameters.iterations,
    parallelism: parameters.parallelism,
  }
  const inTurn = createQueue(parameters.concurrency, maxWaiting)
  const ofNobody = await hash(randomBytes(32), options)

  return {
    hash: (password, giver = 'known') => inTurn(giver, () => hash(normal(password), options)),
    verify: (stored, password, giver) =>
      inTurn(giver, async () => {
        const text = normal(password)
        const matches = await verify(stored ?? ofNobody, text)
        if (!matches || stored === null) return { matches: false, rehashed: null }
        return { matches, rehashed: needsRehash(stored, options) ? await hash(text, options) : null }
      }),
  }
}

function normal(password: string): string {
  if (password.length > MAX_PASSWORD_LENGTH) throw new Refusal('invalid', 'oversize')
  return password.normalize('NFKC')
}

/** Runs `concurrency` tasks at once; the others wait in order, `maxWaiting` of each kind, those of the known before all others. */
function createQueue(concurrency: number, maxWaiting: number): <T>(giver: Giver, task: () => Promise<T>) => Promise<T> {
  const waiting: Record<Giver, (() => void)[]> = { known: [], anybody: [] }
  let running = 0
  return async (giver, task) => {
    if (running >= concurrency) {
      const queue = waiting[giver]
      if (queue.length >= maxWaiting) throw new Refusal('unavailable', 'overloaded', { retryAfterMs: RETRY_AFTER_MS })
      await new Promise<void>((resolve) => queue.push(resolve))
    } else running += 1
    try {
      return await task()
    } finally {
      const next = waiting.known.shift() ?? waiting.anybody.shift()
      if (next === undefined) running -= 1
      else next()
    }
  }
}
