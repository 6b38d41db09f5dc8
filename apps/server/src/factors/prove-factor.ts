import type { SecondFactorRequest, StepUpRequest } from '@wardline/protocol'
import type { Caller } from '../http/caller.ts'
import type { Site } from '../http/site.ts'
import type { Keyring } from '../keys/keyring.ts'
import type { Database } from '../storage/open.ts'
import type { Change } from '../storage/transaction.ts'
import type { Passwords } from '../users/password.ts'
import type { ChallengeFor, PasskeyChallenges } from './passkey-challenges.ts'
import { findPasskey, type StoredPasskey, takeCounter } from './passkey-rows.ts'
import { type FactorVerdict, heldTotp, refused, useRecoveryCode, useTotp } from './use-factor.ts'
import { type Signed, verifyAssertion } from './webauthn.ts'

export type FactorDeps = {
  readonly site: Site
  readonly database: Pick<Database, 'readTenant'>
  readonly keyring: Pick<Keyring, 'open'>
  readonly passwords: Pick<Passwords, 'verify'>
  readonly passkeys: PasskeyChallenges
}

/** Whose session it is that asks, and the device's thumbprint: what a passkey's challenge was given out for. */
export type Prover = {
  readonly tenant: string
  readonly user: string
  readonly session: string
  readonly jkt: string
}

/** What somebody shows besides the password. */
export type GivenFactor =
  | Omit<Extract<SecondFactorRequest, { totp: string }>, 'challenge'>
  | Omit<Extract<SecondFactorRequest, { recoveryCode: string }>, 'challenge'>
  | Omit<Extract<SecondFactorRequest, { passkey: object }>, 'challenge'>

/** What was shown, as far as it can be judged outside of a transaction: a hash, a signature, a secret unsealed. */
export type ShownFactor = {
  /**
   * Judges the rest within the caller's transaction, and takes what is good once. Wrong tries are counted there: the caller
   * commits whatever the verdict, and audits it.
   */
  use(tx: Change): Promise<FactorVerdict>
}

export function proverOf({ authenticated: { claims } }: Caller): Prover {
  return { tenant: claims.tenant, user: claims.sub, session: claims.sid, jkt: claims.cnf.jkt }
}

/**
 * That it is still the same person, in a session that there is: for step-up and unlocking. Which kinds are enough is
 * the caller's to say; a passkey or a code is of the second factor, `acr` aal2, a password aal1.
 */
export async function proveFactor(deps: FactorDeps, who: Prover, given: StepUpRequest): Promise<ShownFactor> {
  if ('password' in given) return showPassword(deps, who, given.password)
  return showFactor(deps, who, given, { use: 'confirm', ...who })
}

/** One's second factor. @param use what a passkey's challenge must have been given out for */
export async function showFactor(
  deps: FactorDeps,
  { tenant, user }: Pick<Prover, 'tenant' | 'user'>,
  given: GivenFactor,
  use: ChallengeFor,
): Promise<ShownFactor> {
  if ('recoveryCode' in given) return { use: (tx) => useRecoveryCode(tx, user, given.recoveryCode) }
  if ('totp' in given) {
    const held = await heldTotp(deps, tenant, user)
    if (held === null) return judged(refused('second-factor', 'code-wrong'))
    return { use: (tx) => useTotp(tx, held, given.totp) }
  }
  const { passkey } = given
  const stored = await deps.database.readTenant(tenant, (db) => findPasskey(db, tenant, user, passkey.id))
  if (stored === null) return judged(refused('passkey', 'passkey-wrong'))
  const { site, passkeys: challenges } = deps
  const signed = await verifyAssertion(
    { site, challenges },
    { id: stored.credentialId, publicKey: stored.publicKey },
    passkey,
    use,
  )
  return typeof signed === 'string' ? judged(refused(signed, 'passkey-wrong')) : takingCounter(stored, signed)
}

/** A passkey whose signature was right: good where its counter goes on. */
export function takingCounter({ id, synced }: Pick<StoredPasskey, 'id' | 'synced'>, signed: Signed): ShownFactor {
  return {
    async use(tx) {
      const taken = await takeCounter(tx, id, signed)
      if (taken === 'taken') return { ok: true, acr: 'aal2', amr: amrOfPasskey(synced) }
      return refused(taken === 'cloned' ? 'cloned-authenticator' : 'passkey', 'passkey-wrong')
    },
  }
}

/** RFC 8176 §2: a key in hardware or one that is synced, unlocked by the person; both together are two factors. */
export function amrOfPasskey(synced: boolean): readonly string[] {
  return [synced ? 'swk' : 'hwk', 'user', 'mfa']
}

async function showPassword(deps: FactorDeps, { tenant, user }: Prover, password: string): Promise<ShownFactor> {
  const where = { tenantId_id: { tenantId: tenant, id: user } }
  const row = await deps.database.readTenant(tenant, (db) =>
    db.user.findUnique({ where, select: { passwordHash: true } }),
  )
  const passwordHash = row?.passwordHash ?? null
  const { matches } = await deps.passwords.verify(passwordHash, password, 'known')
  if (!matches) return judged(refused('password', 'password-wrong'))
  return {
    async use({ db, tenantId }) {
      // Not one that was changed while it was compared.
      const holds = await db.user.count({ where: { tenantId, id: user, passwordHash } })
      return holds === 1 ? { ok: true, acr: 'aal1', amr: ['pwd'] } : refused('password', 'password-wrong')
    },
  }
}

function judged(verdict: FactorVerdict): ShownFactor {
  return { use: async () => verdict }
}
