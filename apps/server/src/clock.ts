/**
 * Time, passed in (law 7), so that expiry, grace, escalation and retries are tested without waiting.
 *
 * `now` is milliseconds since the epoch. `after` and `every` run by the monotonic clock, so a jump of the wall clock
 * neither hurries nor holds them; both return the way to cancel. Callbacks must not throw.
 */
export interface Clock {
  now(): number
  after(ms: number, run: () => void): () => void
  every(ms: number, run: () => void): () => void
}

/** setTimeout fires at once beyond this (2³¹ − 1 ms, 24.8 days). */
const MAX_TIMER_MS = 2_147_483_647

export const systemClock: Clock = {
  now: Date.now,
  after(ms, run) {
    const timer = setTimeout(run, Math.min(Math.max(ms, 0), MAX_TIMER_MS))
    return () => clearTimeout(timer)
  },
  every(ms, run) {
    const timer = setInterval(run, Math.min(Math.max(ms, 1), MAX_TIMER_MS))
    return () => clearInterval(timer)
  },
}

/**
 * Whether what was done at `lastAt` is to be done again, `everyMs` later. Where the wall clock was put back meanwhile it is: better once
 * too often than not for as long as the clock went back.
 */
export function isDue(lastAt: number, everyMs: number, now: number): boolean {
  return now < lastAt || now - lastAt >= everyMs
}

/** A clock for tests: it stands still until it is moved. */
export interface ManualClock extends Clock {
  /** Moves on by `ms`, running what falls due on the way in order of time; each sees its own time as `now`. */
  advance(ms: number): void
  /** Timers that wait. */
  readonly pending: number
}

type Timer = { at: number; order: number; run: () => void; every: number | undefined }

/** @param start milliseconds since the epoch. */
export function manualClock(start = Date.UTC(2026, 0, 1)): ManualClock {
  let now = start
  let order = 0
  const timers = new Set<Timer>()

  function add(ms: number, run: () => void, every?: number): () => void {
    order += 1
    const timer: Timer = { at: now + Math.max(ms, 0), order, run, every }
    timers.add(timer)
    return () => timers.delete(timer)
  }

  function nextDue(until: number): Timer | undefined {
    let next: Timer | undefined
    for (const timer of timers) {
      if (timer.at > until) continue
      if (next === undefined || timer.at < next.at || (timer.at === next.at && timer.order < next.order)) next = timer
    }
    return next
  }

  return {
    now: () => now,
    after: (ms, run) => add(ms, run),
    every: (ms, run) => add(Math.max(ms, 1), run, Math.max(ms, 1)),
    get pending() {
      return timers.size
    },
    advance(ms) {
      const until = now + ms
      for (let due = nextDue(until); due !== undefined; due = nextDue(until)) {
        now = due.at
        if (due.every === undefined) timers.delete(due)
        else due.at += due.every
        due.run()
      }
      now = until
    },
  }
}
