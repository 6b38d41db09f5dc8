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

export interface Passwords {
  /** A PHC string (`$argon2id$v=19$m=…`). */
  hash(password: string): Promise<string>
  /** Takes the same time where there is no such user, `stored` being null. */
  verify(stored: string | null, password: string): Promise<PasswordVerdict>
}

/**
 * Argon2id (RFC 9106) behind a queue: `parameters.concurrency` at once, on threads of their own, and at most `maxWaiting`
 * behind them, so that a wave of sign-ins neither stalls the sockets nor eats the memory. One more is `unavailable`.
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
    hash: (password) => inTurn(() => hash(normal(password), options)),
    verify: (stored, password) =>
      inTurn(async () => {
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

/** Runs `concurrency` tasks at once; the others wait in order, `maxWaiting` of them. */
function createQueue(concurrency: number, maxWaiting: number): <T>(task: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = []
  let running = 0
  return async (task) => {
    if (running >= concurrency) {
      if (waiting.length >= maxWaiting) throw new Refusal('unavailable', 'overloaded', { retryAfterMs: RETRY_AFTER_MS })
      await new Promise<void>((resolve) => waiting.push(resolve))
    } else running += 1
    try {
      return await task()
    } finally {
      const next = waiting.shift()
      if (next === undefined) running -= 1
      else next()
    }
  }
}
