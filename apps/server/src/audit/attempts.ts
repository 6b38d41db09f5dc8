/** The most that a column of the index can say, and no event ever does. */
const MAX_ATTEMPTS = 999_999_999

/** Whether this outcome is one of an attempt that came to nothing. */
export function isRefusal(outcome: unknown): boolean {
  return outcome === 'refused' || outcome === 'failed'
}

/** How many attempts an event stands for: its count where it sums up refusals. Its fields as they were read, whatever they are. */
export function attemptsOf({ outcome, count }: { readonly outcome?: unknown; readonly count?: unknown }): number {
  if (!isRefusal(outcome) || !Number.isSafeInteger(count)) return 1
  return Number(count) >= 1 && Number(count) <= MAX_ATTEMPTS ? Number(count) : 1
}
