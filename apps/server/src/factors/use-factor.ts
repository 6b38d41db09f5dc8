import type { RefusalWhy } from '@wardline/protocol'
import type { AuditReason } from '../audit/vocabulary.ts'
import type { Keyring } from '../keys/keyring.ts'
import type { Database } from '../storage/open.ts'
import type { Change } from '../storage/transaction.ts'
import { recoveryCodeDigest } from './recovery-codes.ts'
import { totpStep } from './totp.ts'

/** The authenticator that a user has confirmed, with its secret. */
export type HeldFactor = { readonly id: string; readonly secret: string }

export type FactorVerdict =
  | {
      readonly ok: true
      /** NIST SP 800-63B, of what was shown now together with what the session began with. */
      readonly acr: 'aal1' | 'aal2'
      /** RFC 8176 §2: what was shown now. */
      readonly amr: readonly string[]
    }
  | { readonly ok: false; readonly reason: AuditReason; readonly why: RefusalWhy | null; readonly retryAfterMs: number }

/** Wrong codes in a row that cost nothing but the next code; the one after waits. */
const FREE_FAILURES = 4
const FIRST_WAIT_MS = 1_000
/** Somebody who has the password is guessing: 288 tries a day, at odds of three in a million. Recovery codes open meanwhile. */
const LONGEST_WAIT_MS = 300_000

/** The place of a factor's secret among what is sealed. */
export const factorPlace = (id: string) => ({ scope: 'factors', row: id, purpose: 'totp' }) as const

/** The authenticator app of this user; null where there is none. */
export async function heldTotp(
  { database, keyring }: { readonly database: Pick<Database, 'readTenant'>; readonly keyring: Pick<Keyring, 'open'> },
  tenantId: string,
  userId: string,
): Promise<HeldFactor | null> {
  const row = await database.readTenant(tenantId, (db) =>
    db.secondFactor.findFirst({
      where: { tenantId, userId, removedAt: null, confirmedAt: { not: null } },
      select: { id: true, sealedSecret: true },
    }),
  )
  if (row === null) return null
  return { id: row.id, secret: await keyring.open(tenantId, factorPlace(row.id), row.sealedSecret) }
}

/**
 * Looks at a code of the authenticator, once: what it opens, it opens in the caller's transaction or not at all. A wrong one is
 * counted there too, so the caller commits either way. After some in a row the authenticator's codes have to wait, longer each
 * time; nobody is locked out.
 */
export async function useTotp(
  { db, tenantId, at }: Change,
  { id, secret }: HeldFactor,
  code: string,
): Promise<FactorVerdict> {
  const where = { tenantId, id, removedAt: null }
  const row = await db.secondFactor.findFirst({ where, select: { failures: true, retryAt: true } })
  if (row === null) return refused('second-factor', 'code-wrong')
  const waitMs = (row.retryAt?.getTime() ?? 0) - at
  if (waitMs > 0) return { ok: false, reason: 'attempts', why: null, retryAfterMs: waitMs }
  const step = totpStep(secret, code, at)
  if (step === null) {
    const failures = row.failures + 1
    const pauseMs = failures > FREE_FAILURES ? pauseAfter(failures) : 0
    await db.secondFactor.updateMany({
      where,
      data: { failures: { increment: 1 }, ...(pauseMs > 0 ? { retryAt: new Date(at + pauseMs) } : {}) },
    })
    return refused('second-factor', 'code-wrong')
  }
  // The comparison is the lock: of two who show the same code at once, one is first (RFC 6238 §5.2).
  const { count } = await db.secondFactor.updateMany({
    where: { ...where, lastStep: { lt: step } },
    data: { lastStep: step, failures: 0, retryAt: null, lastUsedAt: new Date(at) },
  })
  return count === 1 ? { ok: true, acr: 'aal2', amr: ['otp', 'mfa'] } : refused('code-used', 'code-used')
}

/** Spends a recovery code: 80 bits, nothing to guess, so it never has to wait. */
export async function useRecoveryCode(
  { db, tenantId, at }: Change,
  userId: string,
  code: string,
): Promise<FactorVerdict> {
  const { count } = await db.recoveryCode.updateMany({
    where: { tenantId, digest: recoveryCodeDigest(tenantId, userId, code), userId, usedAt: null, voidedAt: null },
    data: { usedAt: new Date(at) },
  })
  return count === 1 ? { ok: true, acr: 'aal2', amr: ['recovery', 'mfa'] } : refused('second-factor', 'code-wrong')
}

function pauseAfter(failures: number): number {
  return Math.min(FIRST_WAIT_MS * 2 ** Math.min(failures - FREE_FAILURES - 1, 20), LONGEST_WAIT_MS)
}

export function refused(reason: AuditReason, why: RefusalWhy): FactorVerdict {
  return { ok: false, reason, why, retryAfterMs: 0 }
}
