import { afterClose, CLOSE_CODES, type CloseCode } from '@wardline/protocol'

/** Full jitter (`random() × min(cap, base × 2^attempt)`): after an outage, clients come back spread out and not in waves. */
const BASE_MS = 1_000
const CAP_MS = 30_000
/** After `back-off` closes: never at once, and longer. */
const BACK_OFF_BASE_MS = 4_000
const BACK_OFF_CAP_MS = 60_000
/** After 4429 (abuse of limits): at least this. */
const ABUSE_MS = 30_000

/** Why the SDK does not come back by itself: the one word of the close code. */
export type StopReason = (typeof CLOSE_CODES)[CloseCode]['reason']

/** What a line's end calls for. `refresh`: with a new token, by HTTPS. */
export type NextStep =
  | { readonly do: 'wait'; readonly ms: number; readonly refresh: boolean }
  | { readonly do: 'stop'; readonly reason: StopReason }

type Ended = {
  /** The close code; 1006 for a line that broke. */
  code: number
  /** Attempts since the line was last steadily live, from 0. */
  attempt: number
  /** Ends by 4401 in a row, this one included. */
  refusals: number
  /** What `server.draining` asked for, in milliseconds. */
  drainingMs: number | null
}

/** What to do after a line has ended. Pure; `random` gives at least 0 and less than 1. */
export function nextStep({ code, attempt, refusals, drainingMs }: Ended, random: () => number): NextStep {
  const after = afterClose(code)
  switch (after) {
    case 'stop':
    case 'unlock':
      return { do: 'stop', reason: wordOf(code) }
    case 'sign-in':
      // The one answer for every cause: a token that ran out on the way, a key that rotated, a clock that was set. HTTPS
      // knows more: if it renews, once more; if that is refused as well, a person has to sign in.
      if (refusals > 1) return { do: 'stop', reason: wordOf(code) }
      return { do: 'wait', ms: jittered(attempt, random), refresh: true }
    case 'refresh':
      return { do: 'wait', ms: jittered(attempt, random), refresh: true }
    case 'back-off': {
      const ms = Math.min(BACK_OFF_CAP_MS, BACK_OFF_BASE_MS * 2 ** Math.min(attempt, 10))
      const least = code === 4429 ? ABUSE_MS : ms / 2
      return { do: 'wait', ms: least + random() * ms, refresh: false }
    }
    case 'reconnect':
      return { do: 'wait', ms: (drainingMs ?? 0) + jittered(attempt, random), refresh: false }
  }
}

/** A pause with full jitter: from 0 to `base × 2^attempt`, at most 30 s. `attempt` from 0. */
export function jittered(attempt: number, random: () => number): number {
  return random() * Math.min(CAP_MS, BASE_MS * 2 ** Math.min(attempt, 10))
}

function wordOf(code: number): StopReason {
  return code in CLOSE_CODES ? CLOSE_CODES[code as CloseCode].reason : 'protocol'
}
