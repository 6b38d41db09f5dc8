import type { Context } from '../context.ts'
import type { Period } from '../storage/audit-log.ts'
import type { AuditEvent } from './event.ts'

/** The end of a place that nobody has ended: the year 9999. */
const END_OF_TIME_MS = 253_402_300_799_999

/** Who had a patient in their lists, and when: a person's times are in order, and apart. */
export type ListTimes = ReadonlyMap<string, readonly Period[]>

/** While somebody is on a patient's care team, and then alone, the patient is among those that their lists show. */
export async function listTimes(
  { database }: Pick<Context, 'database'>,
  tenantId: string,
  patientId: string,
  { from, until }: Period,
): Promise<ListTimes> {
  const places = await database.readTenant(tenantId, (db) =>
    db.careTeam.findMany({
      where: { tenantId, patientId },
      select: { userId: true, startsAt: true, endsAt: true },
      orderBy: { startsAt: 'asc' },
    }),
  )
  const times = new Map<string, Period[]>()
  for (const { userId, startsAt, endsAt } of places) {
    const begin = Math.max(from, startsAt.getTime())
    const end = Math.min(until, endsAt?.getTime() ?? END_OF_TIME_MS)
    if (begin >= end) continue
    const mine = times.get(userId) ?? []
    times.set(userId, mine)
    const before = mine.at(-1)
    // In two roles at once: what was listed then is counted once.
    if (before !== undefined && begin <= before.until)
      mine.splice(-1, 1, { ...before, until: Math.max(before.until, end) })
    else mine.push({ from: begin, until: end })
  }
  return times
}

/** Whether a list of patients or of channels was opened that could show the patient. @param at epoch milliseconds */
export function isListOf(times: ListTimes, event: AuditEvent, at: number): boolean {
  if (event.actor === undefined || !isList(event)) return false
  return times.get(event.actor)?.some(({ from, until }) => at >= from && at < until) ?? false
}

/** Whether an event is somebody's list of patients or of channels: it names none of them. Its fields as they were read, whatever they are. */
export function isList({ action, outcome, patient, channel }: { readonly [F in keyof AuditEvent]?: unknown }): boolean {
  const isOfSome = action === 'patient.read' || action === 'channel.read'
  return isOfSome && outcome === 'allowed' && patient === undefined && channel === undefined
}
