import type { Fault } from '@wardline/client'

/** After an upgrade all pages come back at once: each asks for the build at a moment of its own within so long. */
const SPREAD_MS = 30_000
/** Nothing on the screen is moved while it is being touched or typed at, nor so soon after. */
const QUIET_MS = 3_000

/** What the watch is told of, and how it asks. Times in milliseconds. */
export interface BuildWatch {
  /** Calls back whenever the line has come live, and stops doing so. */
  readonly onLive: (run: () => void) => () => void
  readonly onFault: (run: (fault: Fault) => void) => () => void
  readonly onTouched: (run: () => void) => () => void
  /** The build that the server has; null where it has this one, undefined where it could not be asked. */
  readonly ask: () => Promise<string | null | undefined>
  readonly now: () => number
  /** At least 0, below 1. */
  readonly random: () => number
  readonly setTimer: (ms: number, run: () => void) => () => void
}

/**
 * Tells `tell` which build the server has, where it is another than this page's, and null where it is the same (again). It is
 * asked once the line is live again, and when the server said what this page cannot read: then the line may never be live.
 */
export function watchBuild(watch: BuildWatch, tell: (build: string | null) => void): () => void {
  let touchedAt = Number.NEGATIVE_INFINITY
  /** Not null while it is being looked, or will be. */
  let cancel: (() => void) | null = null

  const later = (ms: number) => {
    cancel = watch.setTimer(ms, () => void look())
  }
  const look = async () => {
    const askedAt = watch.now()
    const leftMs = touchedAt + QUIET_MS - askedAt
    if (leftMs > 0) return later(Math.min(leftMs, QUIET_MS))
    const build = await watch.ask()
    // Stopped meanwhile.
    if (cancel === null) return
    // What is known by the next quiet moment may be another: the answer is not kept until then.
    if (touchedAt >= askedAt) return later(QUIET_MS)
    cancel = null
    if (build !== undefined) tell(build)
  }
  const plan = () => {
    if (cancel === null) later(watch.random() * SPREAD_MS)
  }

  const stops = [
    watch.onLive(plan),
    watch.onFault(({ kind }) => {
      if (kind === 'unreadable-frame' || kind === 'unreadable-answer') plan()
    }),
    watch.onTouched(() => {
      touchedAt = watch.now()
    }),
  ]
  return () => {
    for (const stop of stops) stop()
    cancel?.()
    cancel = null
  }
}
