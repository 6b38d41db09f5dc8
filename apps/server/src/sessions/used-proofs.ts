import type { Clock } from '../clock.ts'
import type { Database } from '../storage/open.ts'
import type { CheckedProof } from './proof.ts'
import { PROOF_MAX_AGE_MS, PROOF_MAX_AHEAD_MS } from './proof.ts'

/** That each proof is used once, on whichever node. */
export type UsedProofs = {
  /** True the first time. @throws StorageUnavailable: what cannot be remembered is not let through */
  use(proof: Pick<CheckedProof, 'digest' | 'expiresAt'>): Promise<boolean>
  close(): void
}

/** Proofs remembered here at once; the table in the database remembers all of them. */
const MAX_REMEMBERED = 100_000
/** A proof is refused for its age by then. */
const WINDOW_MS = PROOF_MAX_AGE_MS + PROOF_MAX_AHEAD_MS
/** The table is rid of what has expired at this pace, by each node. */
const FORGET_EVERY_MS = 300_000

/**
 * The database's table decides, for all nodes. What this node has seen it remembers itself, so that a flood of one proof
 * costs a look into a set and no query.
 */
export function createUsedProofs(
  database: Pick<Database, 'useProof' | 'forgetProofs'>,
  clock: Clock,
  onFault: (error: unknown) => void,
): UsedProofs {
  let recent = new Set<string>()
  let earlier = new Set<string>()
  let turnedAt = clock.now()
  const stop = clock.every(FORGET_EVERY_MS, () => void database.forgetProofs(clock.now()).catch(onFault))

  /** Two generations, each as old as a proof may get: what is dropped is refused for its age. */
  function turn(): void {
    if (clock.now() - turnedAt < WINDOW_MS && recent.size < MAX_REMEMBERED) return
    earlier = recent
    recent = new Set()
    turnedAt = clock.now()
  }

  return {
    close: stop,
    async use(proof) {
      turn()
      const name = proof.digest.toString('base64')
      if (recent.has(name) || earlier.has(name)) return false
      recent.add(name)
      try {
        return await database.useProof(proof.digest, proof.expiresAt)
      } catch (error) {
        // Not known to be used: the same proof may be tried again once the database is back.
        recent.delete(name)
        throw error
      }
    },
  }
}
