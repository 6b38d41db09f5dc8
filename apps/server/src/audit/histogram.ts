import type { AuditHistogram, auditHistogramQuery } from '@wardline/protocol'
import type { z } from 'zod'
import type { Context } from '../context.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor } from '../http/decide.ts'
import type { AuditCount } from '../storage/audit-log.ts'
import { aboutOf } from './list.ts'

/** Stretches of one histogram, at most. */
const STRETCHES = 120
const HOUR_MS = 3_600_000
const MINUTE_MS = 60_000
/** What a stretch may be: round for who reads it. */
const STEPS_MS = [1, 5, 15].map((n) => n * MINUTE_MS).concat([1, 3, 6, 12, 24, 7 * 24, 28 * 24].map((n) => n * HOUR_MS))

/**
 * How many events fit the filter, over time: what one narrows the list by. By the index, so the last seconds may be missing. Without a
 * beginning, from the first event on. Looking is in the audit. @throws Refusal
 */
export async function countAuditEvents(
  ctx: Context,
  caller: Caller,
  { from, until, ...filter }: z.infer<typeof auditHistogramQuery>,
): Promise<AuditHistogram> {
  const { tenant } = caller.actor
  const action = 'audit.read'
  const about = aboutOf(filter)
  const { reason } = await decideFor(ctx, caller, action, { kind: 'audit', tenant }, about)
  const end = until === undefined ? ctx.clock.now() : Date.parse(until)
  const begin = from === undefined ? ((await ctx.database.auditBeginning(tenant)) ?? end) : Date.parse(from)
  const stepMs = stepOf(end - begin, isByHour(filter))
  // Round, so that a stretch is the same one whenever it is asked for.
  const period = { from: Math.floor(begin / stepMs) * stepMs, until: Math.max(end, begin + 1) }
  const counts = await ctx.database.countAudit(tenant, filter, period, stepMs)
  const count = counts.reduce((sum, each) => sum + each.count, 0)
  await ctx.database.auditOnly(tenant, { ...caller.trail, ...about, action, outcome: 'allowed', reason, count })
  return {
    from: new Date(period.from).toISOString(),
    until: new Date(period.until).toISOString(),
    stepMs,
    buckets: bucketsOf(counts),
  }
}

/** The shortest step that needs no more than so many stretches. @param byHour nothing finer than an hour is counted */
function stepOf(ms: number, byHour: boolean): number {
  const steps = byHour ? STEPS_MS.filter((step) => step >= HOUR_MS) : STEPS_MS
  const widest = steps.at(-1) ?? HOUR_MS
  return steps.find((step) => ms / step <= STRETCHES - 1) ?? widest * Math.ceil(ms / (STRETCHES - 1) / widest)
}

function isByHour({
  actor,
  patient,
  connection,
}: Omit<z.infer<typeof auditHistogramQuery>, 'from' | 'until'>): boolean {
  return [actor, patient, connection].every((each) => each === undefined)
}

function bucketsOf(counts: readonly AuditCount[]): AuditHistogram['buckets'] {
  const buckets = new Map<number, { -readonly [K in 'allowed' | 'refused' | 'failed' | 'repeated']: number }>()
  for (const { at, outcome, count } of counts) {
    const bucket = buckets.get(at) ?? { allowed: 0, refused: 0, failed: 0, repeated: 0 }
    if (outcome in bucket) bucket[outcome as keyof typeof bucket] += count
    buckets.set(at, bucket)
  }
  return [...buckets].map(([at, bucket]) => ({ at: new Date(at).toISOString(), ...bucket }))
}
