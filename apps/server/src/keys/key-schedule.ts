import { createHash } from 'node:crypto'
import { bySystem } from '../audit/by.ts'
import { type AuditFact, type AuditId, auditId } from '../audit/event.ts'
import type { Clock } from '../clock.ts'
import { PUBLISH_MS, type SigningKeys } from './signing-keys.ts'

/** How often a node looks whether a key is due, in milliseconds. */
const LOOK_MS = 3_600_000
const DAY_MS = 86_400_000

type Parts = {
  readonly signingKeys: SigningKeys
  readonly clock: Clock
  /** A key signs for so many days; 0: until somebody asks for another. */
  readonly days: number
  /** Writes down what was done, by the system itself. */
  readonly audit: (fact: AuditFact) => Promise<void>
  readonly onFault: (error: unknown) => void
}

/**
 * Rotates signing keys by schedule and destroys those whose last token has expired, on whichever node comes first.
 * @returns how to stop; what is under way is finished
 */
export function keepSigningKeys({ signingKeys, clock, days, audit, onFault }: Parts): () => Promise<void> {
  async function tend(): Promise<void> {
    const [newest] = await signingKeys.list()
    const isDue = days > 0 && newest !== undefined && clock.now() + PUBLISH_MS >= newest.activeFrom + days * DAY_MS
    const added = isDue ? await signingKeys.rotate() : null
    if (added !== null) await audit({ ...bySystem, action: 'key.rotate', outcome: 'allowed', key: auditKeyId(added) })
    for (const kid of await signingKeys.removeRetired()) {
      await audit({ ...bySystem, action: 'key.destroy', outcome: 'allowed', key: auditKeyId(kid) })
    }
  }
  let tending = Promise.resolve()
  const begin = () => {
    tending = tending.then(tend).catch(onFault)
  }
  const stop = clock.every(LOOK_MS, begin)
  begin()
  return () => {
    stop()
    return tending
  }
}

/** A signing key as the audit names it: the first 128 bits of SHA-256 over its `kid`, in a UUID's form. */
export function auditKeyId(kid: string): AuditId {
  const hex = createHash('sha256').update(kid).digest('hex')
  return auditId([hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20, 32)].join('-'))
}
