import type { PasskeyAssertion, PasskeyRequest } from '@wardline/protocol'
import { type AuditFact, auditId, auditSecretId } from '../audit/event.ts'
import { Refusal, toRefusal } from '../errors.ts'
import { CHALLENGE_MS } from '../factors/passkey-challenges.ts'
import { findPasskey, type StoredPasskey } from '../factors/passkey-rows.ts'
import { takingCounter } from '../factors/prove-factor.ts'
import { readUserHandle } from '../factors/user-handle.ts'
import { verifyAssertion } from '../factors/webauthn.ts'
import { beginSession } from './begin-session.ts'
import { announceChange } from './end.ts'
import { activeSnapshot, type Grant, grant, type SessionDeps, sessionMsOf, useBareProof, type Where } from './grant.ts'
import { newRefreshToken } from './refresh-token.ts'
import { endReplaced } from './sign-in.ts'
import type { UsedFrom } from './used-from.ts'

type Bare = { readonly proof: string | undefined; readonly path: string }

export type PasskeySignInRequest = Bare & {
  readonly passkey: PasskeyAssertion
  /** The refresh cookie of whoever was signed in here before. */
  readonly cookie: string | undefined
  readonly where: Where
  readonly from?: UsedFrom
  /** Thumbprint of the client's certificate; null where none was shown. */
  readonly certificate: string | null
}

type UserRow = { readonly id: string; readonly passwordHash: string | null }

/**
 * What to ask an authenticator for where nobody has said yet who they are: the passkey that the person picks says it. Costs the
 * server nothing to remember. @throws Refusal `unauthenticated` without a proof; `not-found` where the site has no name
 */
export async function askForPasskey(deps: SessionDeps, { proof, path }: Bare): Promise<PasskeyRequest> {
  const { jkt } = await useBareProof(deps, proof, path)
  const { rpId } = deps.site
  if (rpId === null) throw new Refusal('not-found', 'passkey')
  const challenge = deps.passkeys.issue({ use: 'sign-in', jkt })
  return { challenge, rpId, timeoutMs: CHALLENGE_MS, credentials: [] }
}

/**
 * Signs a person in by a passkey alone: something they have, unlocked by what they know or are, so two factors, and none
 * that a false page could ask for. Whatever fails, the answer is the same; why is in the audit.
 * @throws Refusal `unauthenticated`; `unavailable` where the store is away
 */
export async function signInWithPasskey(deps: SessionDeps, request: PasskeySignInRequest): Promise<Grant> {
  const seen: { tenant: string | null; trail: Partial<AuditFact> } = { tenant: null, trail: request.where }
  try {
    const { jkt } = await useBareProof(deps, request.proof, request.path)
    seen.trail = { ...seen.trail, device: auditSecretId(jkt) }
    const found = await findHolder(deps, request.passkey)
    if (found === null) throw new Refusal('unauthenticated', 'passkey')
    const { tenant, user, stored } = found
    seen.tenant = tenant
    seen.trail = { ...seen.trail, actor: auditId(user.id) }
    const { site, passkeys: challenges } = deps
    const key = { id: stored.credentialId, publicKey: stored.publicKey }
    const signed = await verifyAssertion({ site, challenges }, key, request.passkey, { use: 'sign-in', jkt })
    if (typeof signed === 'string') throw new Refusal('unauthenticated', signed)
    const snapshot = await activeSnapshot(deps, tenant, user.id)
    const refreshToken = newRefreshToken(tenant)
    const shown = takingCounter(stored, signed)
    const done = await deps.database.withTenant(tenant, async (tx) => {
      const { db, tenantId } = tx
      // The user's row first, as everybody who changes the account does.
      const { passwordHash } = user
      await db.user.updateMany({ where: { tenantId, id: user.id, passwordHash }, data: { passwordHash } })
      const verdict = await shown.use(tx)
      if (!verdict.ok) {
        tx.audit({ ...seen.trail, action: 'auth.passkey', outcome: 'refused', reason: verdict.reason })
        return verdict.reason
      }
      return beginSession(tx, {
        user,
        jkt,
        rehashed: null,
        digest: refreshToken.digest,
        sessionMs: sessionMsOf(deps, snapshot),
        assurance: verdict,
        action: 'auth.passkey',
        trail: seen.trail,
        certificate: request.certificate,
        ...(request.from === undefined ? {} : { from: request.from }),
      })
    })
    if (typeof done === 'string') {
      const refusal = new Refusal('unauthenticated', done)
      refusal.audited = true
      throw refusal
    }
    announceChange(deps, tenant, user.id, done.version)
    await endReplaced(deps, request, jkt)
    return await grant(deps, done.session, snapshot, refreshToken.text)
  } catch (error) {
    const refusal = toRefusal(error)
    if (!refusal.audited) {
      await deps.database.auditOnly(seen.tenant, {
        ...seen.trail,
        action: 'auth.passkey',
        outcome: refusal.code === 'unauthenticated' ? 'refused' : 'failed',
        reason: refusal.reason,
      })
    }
    refusal.audited = true
    throw refusal
  }
}

type Holder = { readonly tenant: string; readonly user: UserRow; readonly stored: StoredPasskey }

/** The passkey, behind the wall of the tenant that its user handle names; and its user, who may be disabled. */
async function findHolder({ database }: SessionDeps, passkey: PasskeyAssertion): Promise<Holder | null> {
  const named = readUserHandle(passkey.userHandle)
  if (named === null) return null
  const { tenant: tenantId, user: id } = named
  return database.readTenant(tenantId, async (db) => {
    const stored = await findPasskey(db, tenantId, id, passkey.id)
    if (stored === null) return null
    const where = { tenantId_id: { tenantId, id } }
    const user = await db.user.findUnique({ where, select: { id: true, passwordHash: true, kind: true } })
    return user?.kind === 'person' ? { tenant: tenantId, user, stored } : null
  })
}
