import type { Cancel } from '../environment.ts'

/** A clock that stands still until it is told to go on. */
export type ManualTime = {
  now(): number
  setTimer(ms: number, run: () => void): Cancel
  /** Goes on by `ms`, running what falls due in its order, each with all that follows from it. */
  advance(ms: number): Promise<void>
  /** Timers that have not run. */
  pending(): number
}

type Timer = { at: number; order: number; run: () => void }

// Taken at once: a test may replace the global timers afterwards.
const soon = typeof setImmediate === 'function' ? setImmediate : (run: () => void) => setTimeout(run, 0)

/** Lets every promise that is ready go on, and everything that follows from those. */
export function turn(): Promise<void> {
  return new Promise((resolve) => {
    soon(() => resolve())
  })
}

/** Starts at 22 November 2026, 03:00 UTC, unless told otherwise (milliseconds since 1970). */
export function manualTime(startMs: number = Date.UTC(2026, 10, 22, 3)): ManualTime {
  const timers = new Set<Timer>()
  let nowMs = startMs
  let order = 0

  function firstUntil(limitMs: number): Timer | undefined {
    let first: Timer | undefined
    for (const timer of timers) {
      if (timer.at > limitMs) continue
      if (first === undefined || timer.at < first.at || (timer.at === first.at && timer.order < first.order))
        first = timer
    }
    return first
  }

  return {
    now: () => nowMs,
    setTimer: (ms, run) => {
      const timer = { at: nowMs + Math.max(0, ms), order: order++, run }
      timers.add(timer)
      return () => void timers.delete(timer)
    },
    advance: async (ms) => {
      const limitMs = nowMs + ms
      await turn()
      for (let timer = firstUntil(limitMs); timer !== undefined; timer = firstUntil(limitMs)) {
        timers.delete(timer)
        nowMs = Math.max(nowMs, timer.at)
        timer.run()
        await turn()
      }
      nowMs = limitMs
    },
    pending: () => timers.size,
  }
}
