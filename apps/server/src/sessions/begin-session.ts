import { type AuditFact, auditSecretId } from '../audit/event.ts'
import { registerDevice } from '../devices/register.ts'
import { Refusal } from '../errors.ts'
import { countFactors } from '../factors/held.ts'
import type { Change } from '../storage/transaction.ts'
import { randomSecretId } from './access-token.ts'
import type { GrantedSession } from './grant.ts'
import type { UsedFrom } from './used-from.ts'

/** NIST SP 800-63B: one factor, and two. */
export const PASSWORD_ONLY = { acr: 'aal1', amr: ['pwd'] } as const
/** The password, and then a factor of one's own. @param amr RFC 8176 §2, of that factor */
export const withSecondFactor = (amr: readonly string[]) => ({ acr: 'aal2', amr: ['pwd', ...amr] })

export type Begin = {
  readonly user: { readonly id: string; readonly passwordHash: string | null }
  readonly jkt: string
  /** The password's hash by today's parameters, where it has changed. */
  readonly rehashed: string | null
  /** Of the refresh token. */
  readonly digest: Uint8Array<ArrayBuffer>
  readonly sessionMs: number
  /** How strongly they have shown who they are, and by what (RFC 8176). */
  readonly assurance: { readonly acr: string; readonly amr: readonly string[] }
  readonly action: 'auth.login' | 'auth.second-factor' | 'auth.passkey'
  readonly trail: Partial<AuditFact>
  /** From where; what changes later is measured against it. */
  readonly from?: UsedFrom
  readonly certificate: string | null
}

/**
 * A new session. The user's row is taken first: whoever disables the user, or sets another password, comes wholly before this,
 * and then it is refused, or wholly after, and ends this session too (Zulip CVE-2022-24751).
 */
export async function beginSession(
  tx: Change,
  { user, jkt, rehashed, digest, sessionMs, assurance, action, trail, from, certificate }: Begin,
): Promise<{ session: GrantedSession; version: number }> {
  const { db, tenantId } = tx
  const [taken] = await db.user.updateManyAndReturn({
    where: { tenantId, id: user.id, disabledAt: null, passwordHash: user.passwordHash },
    data: { version: { increment: 1 }, ...(rehashed === null ? {} : { passwordHash: rehashed }) },
    select: { version: true },
  })
  if (taken === undefined) throw new Refusal('unauthenticated', 'user-disabled')
  if (action === 'auth.login') {
    // The password was asked before a second factor was put in force: it is not enough any more.
    if ((await countFactors(db, tenantId, user.id)) > 0) throw new Refusal('unauthenticated', 'second-factor')
  }
  const deviceId = await registerDevice(tx, user.id, jkt, trail)
  const session: GrantedSession = {
    id: randomSecretId(),
    jkt,
    authTime: tx.at,
    expiresAt: tx.at + sessionMs,
    certificate,
    ...assurance,
  }
  const at = new Date(tx.at)
  const expiresAt = new Date(session.expiresAt)
  await db.session.create({
    data: {
      tenantId,
      id: session.id,
      userId: user.id,
      deviceId,
      authTime: at,
      acr: session.acr,
      amr: [...session.amr],
      createdAt: at,
      lastSeenAt: at,
      activeAt: at,
      expiresAt,
      certificate,
      ...(from === undefined ? {} : { networks: [from.network], agent: from.agent, address: from.address }),
    },
  })
  await db.refreshToken.create({ data: { tenantId, digest, sessionId: session.id, issuedAt: at, expiresAt } })
  tx.audit({ ...trail, action, outcome: 'allowed', session: auditSecretId(session.id) })
  return { session, version: taken.version }
}
