import type { FactorMethod, LoginAnswer } from '@wardline/protocol'
import type { AuditFact } from '../audit/event.ts'
import { Refusal } from '../errors.ts'
import { CHALLENGE_MS as PASSKEY_MS, type PasskeyChallenges } from '../factors/passkey-challenges.ts'
import type { Descriptor } from '../factors/passkey-rows.ts'
import type { Site } from '../http/site.ts'
import type { Change } from '../storage/transaction.ts'
import { newRefreshToken } from './refresh-token.ts'

/** A second factor has to follow its password within this. */
const CHALLENGE_MS = 5 * 60_000
/** Codes that may be tried on one password. */
const CHALLENGE_ATTEMPTS = 5

export type SecondFactorAsked = Extract<LoginAnswer, { status: 'second-factor' }>

type Asking = {
  readonly user: {
    readonly id: string
    readonly passwordHash: string | null
    readonly totp: boolean
    readonly passkeys: readonly Descriptor[]
  }
  readonly jkt: string
  readonly rehashed: string | null
  readonly trail: Partial<AuditFact>
}

/**
 * The password was right and is not enough: a challenge that opens nothing but `POST /auth/second-factor`, for this user
 * at this device. The database knows its SHA-256 alone.
 */
export async function askSecondFactor(
  { site, passkeys }: { readonly site: Site; readonly passkeys: PasskeyChallenges },
  tx: Change,
  { user, jkt, rehashed, trail }: Asking,
): Promise<SecondFactorAsked> {
  const { db, tenantId, at } = tx
  const { count } = await db.user.updateMany({
    where: { tenantId, id: user.id, disabledAt: null, passwordHash: user.passwordHash },
    data: { passwordHash: rehashed ?? user.passwordHash },
  })
  if (count === 0) throw new Refusal('unauthenticated', 'user-disabled')
  const { text, digest } = newRefreshToken(tenantId)
  const expiresAt = new Date(at + CHALLENGE_MS)
  await db.signInChallenge.deleteMany({ where: { tenantId, userId: user.id, expiresAt: { lte: new Date(at) } } })
  await db.signInChallenge.create({
    data: { tenantId, digest, userId: user.id, jkt, createdAt: new Date(at), expiresAt },
  })
  // Not a sign-in yet: no session is named, and the reason says what is missing.
  tx.audit({ ...trail, action: 'auth.login', outcome: 'allowed', reason: 'second-factor' })
  const asked = { status: 'second-factor' as const, challenge: text, expiresIn: CHALLENGE_MS / 1000 }
  const others: FactorMethod[] = user.totp ? ['totp', 'recovery-code'] : ['recovery-code']
  const { rpId } = site
  if (user.passkeys.length === 0 || rpId === null) return { ...asked, methods: others }
  const challenge = passkeys.issue({ use: 'second-factor', jkt, tenant: tenantId, challenge: digest })
  const passkey = { challenge, rpId, timeoutMs: PASSKEY_MS, credentials: [...user.passkeys] }
  return { ...asked, methods: ['passkey', ...others], passkey }
}

/** Counts one try. False: it is over, or has been tried too often. */
export async function spendAttempt({ db, tenantId, at }: Change, digest: Uint8Array<ArrayBuffer>): Promise<boolean> {
  const { count } = await db.signInChallenge.updateMany({
    where: { tenantId, digest, expiresAt: { gt: new Date(at) }, attempts: { lt: CHALLENGE_ATTEMPTS } },
    data: { attempts: { increment: 1 } },
  })
  return count === 1
}
