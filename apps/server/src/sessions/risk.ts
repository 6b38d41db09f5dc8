import type { RenewalReason, RiskAnswer, TenantSettings } from '@wardline/protocol'
import type { AccessSnapshot } from '../access/snapshot.ts'
import type { AuditFact } from '../audit/event.ts'
import { Refusal } from '../errors.ts'
import type { Change } from '../storage/transaction.ts'
import { announceChange, endSessions } from './end.ts'
import { type LockDeps, lockedRefusal, lockWithin, type Whose } from './lock.ts'
import { auditReasonOf, type LiveSession } from './session-life.ts'
import type { UsedFrom } from './used-from.ts'

/** So long the older tokens serve on where nothing says that they are in the wrong hands. */
export const RENEWAL_MS = 30_000
/** Networks that a session remembers: a person's ward, office, home and telephone. */
const MAX_NETWORKS = 8

type Trail = Omit<AuditFact, 'action' | 'outcome' | 'reason'>

export type Demand = {
  readonly reason: RenewalReason
  readonly answer: RiskAnswer
  readonly trail: Trail
  /** How long older tokens serve on, in ms. */
  readonly withinMs: number
}

/**
 * What an organisation has decided to do on a change of risk, done to one session, or all, of a user within the caller's
 * transaction, which has taken the user's row and announces the change. With its audit event. Gives the ids.
 */
export async function demand(
  tx: Change,
  which: { readonly user: string; readonly only?: string },
  { reason, answer, trail, withinMs }: Demand,
): Promise<readonly string[]> {
  const { db, tenantId, at } = tx
  const { user, only } = which
  const found = await db.session.findMany({
    where: {
      tenantId,
      userId: user,
      endedAt: null,
      expiresAt: { gt: new Date(at) },
      ...(only === undefined ? {} : { id: only }),
    },
    select: { id: true },
    orderBy: { id: 'asc' },
  })
  const ids = found.map(({ id }) => id)
  if (ids.length === 0 || answer === 'ignore') return []
  if (answer === 'end') {
    const { count } = await endSessions(tx, which, 'risk')
    tx.audit({ ...trail, action: 'session.end', outcome: 'allowed', reason: auditReasonOf[reason], count })
  } else if (answer === 'step-up') {
    for (const session of ids) await lockWithin(tx, { user, session }, reason, { trail })
  } else {
    const renewal = { renewAfter: new Date(at), renewBy: new Date(at + withinMs), renewReason: reason }
    await db.session.updateMany({ where: { tenantId, id: { in: ids } }, data: renewal })
    tx.audit({
      ...trail,
      action: 'session.demand',
      outcome: 'allowed',
      reason: auditReasonOf[reason],
      count: ids.length,
    })
  }
  return ids
}

/** What is different about where a session is used from; null: nothing that is known. */
export function changeIn(
  { networks, agent }: Pick<LiveSession, 'networks' | 'agent'>,
  from: UsedFrom,
): 'network-change' | 'agent-change' | null {
  if (networks.length > 0 && !networks.includes(from.network)) return 'network-change'
  return agent !== null && agent !== from.agent ? 'agent-change' : null
}

/** What a tenant has decided. */
export function answerTo(reason: Exclude<RenewalReason, 'administrator'>, settings: TenantSettings): RiskAnswer {
  switch (reason) {
    case 'network-change':
      return settings.onNetworkChange
    case 'agent-change':
      return settings.onAgentChange
    case 'password-change':
      return settings.onPasswordChange
    case 'role-change':
      return settings.onRoleChange
  }
}

/**
 * A session is used from a network, or by a kind of browser, from which it was not used before: remembers it, and does what the
 * organisation has decided. Once for each: who goes to and fro between two known networks is not asked each time.
 * @returns what was done, after which the caller goes on or refuses
 */
export async function noticeChange(
  deps: LockDeps,
  whose: Whose,
  snapshot: AccessSnapshot,
  from: UsedFrom,
  trail: Trail,
): Promise<RiskAnswer> {
  const { tenant, user, session } = whose
  const known = snapshot.sessions.get(session)
  const reason = known === undefined ? null : changeIn(known, from)
  if (reason === null) return 'ignore'
  const { answer, version } = await deps.database.withTenant(tenant, async (tx) => {
    const { db, tenantId } = tx
    // First of all, so that two calls that notice it at once come one after the other.
    const { version } = await db.user.update({
      where: { tenantId_id: { tenantId, id: user } },
      data: { version: { increment: 1 } },
      select: { version: true },
    })
    const where = { tenantId_id: { tenantId, id: session } }
    const now = await db.session.findUniqueOrThrow({ where, select: { networks: true, agent: true } })
    const isNew = changeIn(now, from) === reason
    const answer = isNew ? answerTo(reason, snapshot.settings) : 'ignore'
    const networks = [...now.networks.filter((each) => each !== from.network), from.network].slice(-MAX_NETWORKS)
    const data = reason === 'network-change' ? { networks } : { agent: from.agent }
    await db.session.update({ where, data: { ...data, address: from.address } })
    tx.audit({
      ...trail,
      action: 'session.move',
      outcome: isNew ? 'allowed' : 'repeated',
      reason: auditReasonOf[reason],
    })
    await demand(tx, { user, only: session }, { reason, answer, trail, withinMs: 0 })
    return { answer, version }
  })
  announceChange(deps, tenant, user, version)
  await deps.access.settled(tenant, user)
  return answer
}

/** What whoever holds an older token is refused with, after a change was answered so; null: they may go on. */
export function refusalAfter(answer: RiskAnswer, reason: RenewalReason): Refusal | null {
  if (answer === 'ignore') return null
  if (answer === 'step-up') return lockedRefusal(reason)
  return new Refusal('unauthenticated', auditReasonOf[reason])
}
