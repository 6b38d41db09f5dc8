import type { WorkingHours } from '@wardline/protocol'
import { z } from 'zod'
import type { AuditAction } from '../audit/vocabulary.ts'
import { burst } from './burst.ts'
import { beginIncident, goOn, openIncident, type Rule, rule, type Seen } from './rule.ts'
import { ofActor, ofPatientAccess } from './subjects.ts'

const HOUR_MS = 3_600_000
const DAY_MS = 24 * HOUR_MS
/** Days on which somebody must have been seen before their hours are known … */
const LEAST_DAYS = 15
/** … and how long one of them counts. */
const REMEMBERED_DAYS = 35
const QUIET_MS = 12 * HOUR_MS

const memory = z.object({
  /** Days on which anything was heard, and the last of them, since the epoch. */
  days: z.int(),
  lastDay: z.int(),
  /** For each hour of the day (UTC), the last day on which they were active in it; -1: never. */
  hours: z.array(z.int()).length(24),
  open: openIncident.nullable(),
})
type Memory = z.infer<typeof memory>

/**
 * Somebody looks at patients at an hour of the day at which they never do. Hospitals work around the clock, so what is off hours is each
 * person's own: neighbouring hours count as the same, which also takes in summer time.
 */
export const ownHours: Rule = rule<Memory>({
  name: 'own-hours',
  kind: 'off-hours',
  forgetMs: 90 * DAY_MS,
  subjectOf: ofPatientAccess,
  memory,
  begin: () => ({ days: 0, lastDay: -1, hours: Array.from({ length: 24 }, () => -1), open: null }),
  step(state, { at, index }, subject) {
    const day = Math.floor(at / DAY_MS)
    const hour = Math.floor(at / HOUR_MS) % 24
    const isKnown = [-1, 0, 1].some((by) => {
      const last = state.hours[(hour + by + 24) % 24] ?? -1
      return last >= 0 && day - last <= REMEMBERED_DAYS
    })
    const isSettled = state.days >= LEAST_DAYS
    const next: Memory = {
      days: day > state.lastDay ? state.days + 1 : state.days,
      lastDay: Math.max(day, state.lastDay),
      hours: state.hours.map((last, each) => (each === hour ? Math.max(last, day) : last)),
      open: state.open !== null && at - state.open.lastAt <= QUIET_MS ? state.open : null,
    }
    if (next.open !== null) {
      const [open, incident] = goOn(next.open, { at, index, weight: 1 })
      return { state: { ...next, open }, incident }
    }
    if (isKnown || !isSettled) {
      const isSame = state.hours[hour] === next.hours[hour] && state.days === next.days && state.open === null
      return { state: isSame ? state : next, incident: null }
    }
    const [open, incident] = beginIncident(`own-hours:${subject.key}:${index}`, [{ at, index, weight: 1 }])
    return { state: { ...next, open }, incident }
  },
})

/** What administrators do; who does it at night has a reason, or has taken over an account. */
const ADMINISTRATION: ReadonlySet<AuditAction> = new Set<AuditAction>([
  'user.create',
  'user.update',
  'user.disable',
  'user.enable',
  'password.reset',
  'factor.reset',
  'role.assign',
  'role.revoke',
  'role.create',
  'role.update',
  'role.delete',
  'care-team.assign',
  'care-team.end',
  'session.manage',
  'settings.manage',
  'integration.manage',
  'key.rotate',
  'audit.export',
  'import.run',
])

/** Administration outside the hours that the tenant has set; where it has set none, nothing is outside. */
export const adminHours: Rule = burst({
  name: 'admin-hours',
  kind: 'off-hours',
  threshold: 1,
  windowMs: 0,
  quietMs: 8 * HOUR_MS,
  subjectOf: (seen: Seen, { workingHours }) => {
    if (workingHours === null || seen.event.outcome !== 'allowed' || !ADMINISTRATION.has(seen.event.action)) return null
    return isWithin(seen.at, workingHours) ? null : ofActor(seen)
  },
})

/** Whether a moment is within these hours of its day; `until` itself is not. */
export function isWithin(at: number, { zone, from, until }: WorkingHours): boolean {
  const minute = minuteOfDay(at, zone)
  return from <= until ? minute >= from && minute < until : minute >= from || minute < until
}

const clocks = new Map<string, Intl.DateTimeFormat>()

/** @throws RangeError for a zone that is none */
export function minuteOfDay(at: number, zone: string): number {
  let clock = clocks.get(zone)
  if (clock === undefined) {
    clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', timeZone: zone })
    clocks.set(zone, clock)
  }
  const [hour = '0', minute = '0'] = clock.format(new Date(at)).split(':')
  return Number(hour) * 60 + Number(minute)
}
