import type { LockReason } from '@wardline/protocol'
import type { Access } from '../access/access.ts'
import type { AccessSnapshot } from '../access/snapshot.ts'
import { type AuditFact, auditId, auditSecretId } from '../audit/event.ts'
import type { Bus } from '../bus/bus.ts'
import type { Clock } from '../clock.ts'
import { Refusal } from '../errors.ts'
import type { Database } from '../storage/open.ts'
import type { Change } from '../storage/transaction.ts'
import type { Activity } from './activity.ts'
import { announceChange } from './end.ts'
import { auditReasonOf, idleTimes, isForRisk, MILD, timesOf, whyLocked } from './session-life.ts'

export type LockDeps = {
  readonly clock: Clock
  readonly database: Pick<Database, 'withTenant' | 'extendSession'>
  readonly access: Pick<Access, 'load' | 'changed' | 'settled'>
  readonly bus: Pick<Bus, 'publish'>
  readonly activity: Activity
}

export type Whose = { readonly tenant: string; readonly user: string; readonly session: string }

type Trail = Omit<AuditFact, 'action' | 'outcome' | 'reason'>

/**
 * Locks a session within the caller's transaction, which has taken the user's row; the audit is told here. One that is locked
 * already stays so, but for a change of risk: what opens it is then what that takes. False: nothing has changed, because it was
 * locked before, has ended, or, where `notActiveSince` is given, somebody was active in it after that.
 */
export async function lockWithin(
  tx: Change,
  { user, session }: Omit<Whose, 'tenant'>,
  reason: LockReason,
  how: { readonly trail: Trail; readonly notActiveSince?: number },
): Promise<boolean> {
  const { db, tenantId, at } = tx
  const where = { tenantId, id: session, userId: user, endedAt: null }
  const idleSince = how.notActiveSince === undefined ? {} : { activeAt: { lte: new Date(how.notActiveSince) } }
  const locked = await db.session.updateMany({
    where: { ...where, lockedAt: null, ...idleSince },
    data: { lockedAt: new Date(at), lockReason: reason, unlockFailures: 0 },
  })
  const tightened = isForRisk(reason)
    ? await db.session.updateMany({ where: { ...where, lockReason: { in: [...MILD] } }, data: { lockReason: reason } })
    : { count: 0 }
  const count = locked.count + tightened.count
  const outcome = count === 1 ? 'allowed' : 'repeated'
  tx.audit({ ...how.trail, action: 'session.lock', outcome, reason: auditReasonOf[reason] })
  return count === 1
}

/** Locks one session in a transaction of its own; its sockets close on every node. */
export async function lockSession(
  deps: LockDeps,
  whose: Whose,
  reason: LockReason,
  how: Parameters<typeof lockWithin>[3],
): Promise<void> {
  const { tenant, user } = whose
  const version = await deps.database.withTenant(tenant, async (tx) => {
    const { version } = await tx.db.user.update({
      where: { tenantId_id: { tenantId: tenant, id: user } },
      data: { version: { increment: 1 } },
      select: { version: true },
    })
    await lockWithin(tx, whose, reason, how)
    return version
  })
  announceChange(deps, tenant, user, version)
  await deps.access.settled(tenant, user)
}

/**
 * Locks the session if nobody has been there for too long, on whichever node (R-21, 45 CFR 164.312(a)(2)(iii)): by this server's
 * clock, after the store was asked. Gives what is known of the user then.
 * @throws StorageUnavailable
 */
export async function lockIfIdle(deps: LockDeps, whose: Whose, trail: Trail): Promise<AccessSnapshot | null> {
  const { tenant, user, session } = whose
  const snapshot = await deps.access.load(tenant, user, { fresh: true })
  if (snapshot === null) return null
  const now = deps.clock.now()
  const { idleMs } = timesOf(snapshot)
  const isIdle = now >= idleTimes(snapshot, session, deps.activity.seenAt(session)).lockAt
  const isOpen = snapshot.sessions.get(session)?.locked === null
  if (idleMs === null || !isIdle || !isOpen) return snapshot
  await lockSession(deps, whose, 'idle', { trail, notActiveSince: now - idleMs })
  return deps.access.load(tenant, user)
}

/**
 * Notes that the person does something. Where they had been warned, or nearly, that is told to every node and tab at once:
 * there is a warning to be taken off the screen.
 */
export function noteActivity(deps: LockDeps, snapshot: AccessSnapshot, session: string): void {
  const { tenant, user } = snapshot.access
  const now = deps.clock.now()
  const { warnAt } = idleTimes(snapshot, session, deps.activity.seenAt(session))
  deps.activity.note(tenant, session)
  if (now < warnAt || now >= (snapshot.sessions.get(session)?.expiresAt ?? 0)) return
  deps.database
    .extendSession(tenant, user, { session, at: now })
    .then((version) => announceChange(deps, tenant, user, version))
    // Written again within seconds, by what was noted.
    .catch(() => undefined)
}

/** What a locked session is refused with. */
export function lockedRefusal(reason: LockReason): Refusal {
  return new Refusal('locked', auditReasonOf[reason], { why: whyLocked(reason) })
}

/** Who was signed in, for what the server does by itself. */
export function trailOfSession({ user, session }: Omit<Whose, 'tenant'>): Trail {
  return { actor: auditId(user), session: auditSecretId(session) }
}
