import type { Transport } from './socket-like.ts'

/** Stops a timer that has not run yet; afterwards it does nothing. */
export type Cancel = () => void

/** What of `fetch` is used here; the global one fits. */
export type Fetch = (url: string, init: FetchInit) => Promise<FetchAnswer>

export type FetchInit = {
  method: string
  headers: Record<string, string>
  body?: string
  /** `omit` wherever the refresh cookie has no business. */
  credentials: 'omit' | 'same-origin'
  cache: 'no-store'
  redirect: 'error'
  signal: AbortSignal
}

export type FetchAnswer = {
  readonly status: number
  readonly headers: { get(name: string): string | null }
  text(): Promise<string>
  /** The answer as it arrives, where it can be had so. */
  readonly body?: ReadableStream<Uint8Array> | null
}

/** The world as the SDK sees it. Time, chance and the network are passed in, so that tests wait for nothing. */
export type Environment = {
  /** Milliseconds since 1970, by this machine's clock. */
  readonly now: () => number
  /** At least 0, below 1. For jitter alone: never for anything that must not be guessed. */
  readonly random: () => number
  readonly setTimer: (ms: number, run: () => void) => Cancel
  /** A new random UUID, for the ids that make a retried post safe (P4). */
  readonly newId: () => string
  readonly fetch: Fetch
  readonly transport: Transport
  /** Calls back whenever the line should be looked at: the network is back, the screen is looked at again. */
  readonly wake: (run: () => void) => Cancel
}

/** Calls back when the network returns or goes, and when the page is shown again. */
export function browserWake(run: () => void): Cancel {
  const seen = () => {
    if (document.visibilityState === 'visible') run()
  }
  addEventListener('online', run)
  addEventListener('offline', run)
  addEventListener('pageshow', run)
  document.addEventListener('visibilitychange', seen)
  return () => {
    removeEventListener('online', run)
    removeEventListener('offline', run)
    removeEventListener('pageshow', run)
    document.removeEventListener('visibilitychange', seen)
  }
}

/** The clock, chance and timers that browsers and Node have in common. */
export const globalTime: Pick<Environment, 'now' | 'random' | 'setTimer' | 'newId'> = {
  now: () => Date.now(),
  random: () => Math.random(),
  setTimer: (ms, run) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
  newId: () => crypto.randomUUID(),
}
