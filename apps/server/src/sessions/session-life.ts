import type { LockReason, RenewalReason, SessionTimes } from '@wardline/protocol'
import type { AccessSnapshot } from '../access/snapshot.ts'
import type { AuditReason } from '../audit/vocabulary.ts'

/** A living session as the store said last. Times in ms of the epoch. */
export type LiveSession = {
  /** Its absolute end. */
  readonly expiresAt: number
  /** When its person last did something; half a minute behind at most, and never reloaded for its own sake. */
  readonly activeAt: number
  readonly locked: LockReason | null
  /** Tokens of before `after` do not serve from `by` on. */
  readonly renewal: { readonly reason: RenewalReason; readonly after: number; readonly by: number } | null
  /** Networks and kind of browser from which it has been used; none and null: not known. */
  readonly networks: readonly string[]
  readonly agent: string | null
}

/** So long before its absolute end, whoever uses a session is told. */
export const END_WARNING_MS = 5 * 60_000

/** When an idle session is to be locked, and when its person is warned. Infinity for a service: nobody sits there. */
export type IdleTimes = { readonly warnAt: number; readonly lockAt: number }

/** @param seenAt when this node last saw its person do something, if it has */
export function idleTimes(snapshot: AccessSnapshot, session: string, seenAt: number | undefined): IdleTimes {
  const live = snapshot.sessions.get(session)
  const { idleMs, warningMs } = timesOf(snapshot)
  if (live === undefined || idleMs === null) {
    return { warnAt: Number.POSITIVE_INFINITY, lockAt: Number.POSITIVE_INFINITY }
  }
  const lockAt = Math.max(live.activeAt, seenAt ?? 0) + idleMs
  return { warnAt: lockAt - warningMs, lockAt }
}

/** What locks and warns the sessions of this user, in ms. */
export function timesOf({ access, settings }: AccessSnapshot): Omit<SessionTimes, 'endsAt'> {
  const idleMs = access.kind === 'person' ? settings.idleSeconds * 1000 : null
  return { idleMs, warningMs: settings.warningSeconds * 1000 }
}

export function isLocked(snapshot: AccessSnapshot, session: string): boolean {
  return (snapshot.sessions.get(session)?.locked ?? null) !== null
}

/** Whether another token than one of this age was asked for. `iat` is in seconds: one of the very second in which that was serves. */
export function isOlderThanAsked({ renewal }: Pick<LiveSession, 'renewal'>, iat: number): boolean {
  return renewal !== null && iat < Math.floor(renewal.after / 1000)
}

/** Whether it is also too late for it. */
export function isOutdated(live: Pick<LiveSession, 'renewal'>, iat: number, now: number): boolean {
  return live.renewal !== null && now >= live.renewal.by && isOlderThanAsked(live, iat)
}

/** How the audit says why a session was locked, or asked to renew. */
export const auditReasonOf: Readonly<Record<LockReason, AuditReason>> = {
  idle: 'session-idle',
  own: 'own',
  'network-change': 'network-changed',
  'agent-change': 'agent-changed',
  'password-change': 'password-changed',
  'role-change': 'roles-changed',
  administrator: 'administrator',
}

/** Locks that say nothing of a stranger: who was there went away, or fell silent. */
export const MILD: readonly LockReason[] = ['idle', 'own']

/** Whether what opens a session that is locked for this is a step-up. */
export function isForRisk(reason: LockReason): boolean {
  return !MILD.includes(reason)
}

/** What whoever holds a locked session may know of why. */
export function whyLocked(reason: LockReason): 'locked-idle' | 'locked-own' | 'locked-risk' {
  if (reason === 'idle') return 'locked-idle'
  return reason === 'own' ? 'locked-own' : 'locked-risk'
}
