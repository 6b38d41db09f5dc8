import type { Access } from '../access/access.ts'
import type { AuditFact } from '../audit/event.ts'
import type { AuditReason } from '../audit/vocabulary.ts'
import type { Bus } from '../bus/bus.ts'
import type { Database } from '../storage/open.ts'
import type { Change } from '../storage/transaction.ts'

/** Why a session ended: what the database's check on `sessions.end_reason` takes. */
export type EndReason = Extract<
  AuditReason,
  | 'logout'
  | 'revoked'
  | 'replaced'
  | 'refresh-reuse'
  | 'user-disabled'
  | 'device-revoked'
  | 'password-changed'
  | 'factor-changed'
  | 'risk'
>

/** Which of a user's sessions: one, all but one, those of a device (by the row's id), or all. */
export type WhichSessions = {
  readonly user: string
  readonly only?: string
  readonly except?: string
  readonly device?: string
}

export type EndedSessions = {
  readonly count: number
  /** The user's new version: what the hint to the other nodes names. */
  readonly version: number
}

/**
 * Ends sessions within the caller's transaction, with the version that tells every node so (R-19). Their refresh tokens are
 * worth nothing from then on, nor are their access tokens, since each use asks whether the session lives. The audit event is
 * the caller's, and so is `announceChange` once it is committed. The user's row is locked before the sessions': whoever
 * changes both does it in that order.
 */
export async function endSessions(tx: Change, which: WhichSessions, reason: EndReason): Promise<EndedSessions> {
  const { db, tenantId } = tx
  const { version } = await db.user.update({
    where: { tenantId_id: { tenantId, id: which.user } },
    data: { version: { increment: 1 } },
    select: { version: true },
  })
  const { count } = await db.session.updateMany({
    where: {
      tenantId,
      userId: which.user,
      endedAt: null,
      ...(which.only === undefined ? {} : { id: which.only }),
      ...(which.device === undefined ? {} : { deviceId: which.device }),
      ...(which.except === undefined ? {} : { NOT: { id: which.except } }),
    },
    data: { endedAt: new Date(tx.at), endReason: reason },
  })
  // Whoever is half signed in, with a password that may hold no more, begins again.
  if (which.only === undefined) await db.signInChallenge.deleteMany({ where: { tenantId, userId: which.user } })
  return { count, version }
}

export type EndRequest = {
  readonly tenant: string
  readonly user: string
  /** The session's id. */
  readonly session: string
  readonly reason: EndReason
  /** The audit event: who, from where, and as which action. */
  readonly fact: Omit<AuditFact, 'outcome' | 'reason'>
}

type EndDeps = { readonly database: Pick<Database, 'withTenant'> } & AnnounceDeps

/** Ends one session in a transaction of its own; one that has ended already is audited as `repeated`. */
export async function endSession(deps: EndDeps, { tenant, user, session, reason, fact }: EndRequest): Promise<void> {
  const { version } = await deps.database.withTenant(tenant, async (tx) => {
    const ended = await endSessions(tx, { user, only: session }, reason)
    tx.audit({ ...fact, outcome: ended.count > 0 ? 'allowed' : 'repeated', reason })
    return ended
  })
  announceChange(deps, tenant, user, version)
}

type AnnounceDeps = { readonly access: Pick<Access, 'changed'>; readonly bus: Pick<Bus, 'publish'> }

/** Tells this node and the others that a user's rights or sign-ins have changed: after the commit that made it `version`. */
export function announceChange({ access, bus }: AnnounceDeps, tenant: string, user: string, version: number): void {
  access.changed(tenant, user)
  bus.publish({ k: 'user', t: tenant, u: user, v: version })
}
