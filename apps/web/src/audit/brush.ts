import type { AuditHistogram } from '@wardline/protocol'

/** One bar of the histogram: what it stands for and how high it is, from 0 to 1. */
export interface Bar {
  readonly at: number
  readonly total: number
  /** Refused and failed. */
  readonly refused: number
  readonly height: number
  readonly refusedHeight: number
}

/** All stretches in order, those without events too. Heights are by square root: one refusal among thousands is to be seen. */
export function barsOf({ from, until, stepMs, buckets }: AuditHistogram): Bar[] {
  const begin = Date.parse(from)
  const count = Math.max(1, Math.ceil((Date.parse(until) - begin) / stepMs))
  const found = new Map(buckets.map((bucket) => [Math.floor((Date.parse(bucket.at) - begin) / stepMs), bucket]))
  const totals = buckets.map(({ allowed, refused, failed, repeated }) => allowed + refused + failed + repeated)
  const highest = Math.max(1, ...totals)
  return Array.from({ length: count }, (_, i) => {
    const bucket = found.get(i)
    const refused = bucket === undefined ? 0 : bucket.refused + bucket.failed
    const total = bucket === undefined ? 0 : bucket.allowed + bucket.repeated + refused
    const height = Math.sqrt(total / highest)
    return {
      at: begin + i * stepMs,
      total,
      refused,
      height,
      refusedHeight: total === 0 ? 0 : height * (refused / total),
    }
  })
}

/** First and last bar that are chosen, both included. */
export type Selection = readonly [first: number, last: number]

/** Which bars the times of the filter cover. A time beyond an end is that end. */
export function selectionOf(
  { from, stepMs }: Pick<AuditHistogram, 'from' | 'stepMs'>,
  count: number,
  times: { readonly from?: string | undefined; readonly until?: string | undefined },
): Selection {
  const begin = Date.parse(from)
  const within = (bar: number) => Math.min(count - 1, Math.max(0, bar))
  const first = times.from === undefined ? 0 : within(Math.floor((Date.parse(times.from) - begin) / stepMs))
  const last = times.until === undefined ? count - 1 : within(Math.ceil((Date.parse(times.until) - begin) / stepMs) - 1)
  return [first, Math.max(first, last)]
}

/** The times of a selection; no end where it reaches to an end of the histogram. */
export function timesOf(
  { from, stepMs }: Pick<AuditHistogram, 'from' | 'stepMs'>,
  count: number,
  [first, last]: Selection,
): { readonly from?: string; readonly until?: string } {
  const begin = Date.parse(from)
  const time = (bar: number) => new Date(begin + bar * stepMs).toISOString()
  return {
    ...(first === 0 ? {} : { from: time(first) }),
    ...(last === count - 1 ? {} : { until: time(last + 1) }),
  }
}
