import type { AlertKind } from '@wardline/protocol'
import { z } from 'zod'
import {
  beginIncident,
  goOn,
  openIncident,
  type Rule,
  type RuleSettings,
  rule,
  type Seen,
  type Subject,
} from './rule.ts'

export type BurstParts = {
  readonly name: string
  readonly kind: AlertKind
  readonly subjectOf: (seen: Seen, settings: RuleSettings) => Subject | null
  /** So many events … */
  readonly threshold: number
  /** … within so long of each other, in milliseconds of their own times. */
  readonly windowMs: number
  /** The incident is over when nothing more came for so long; what comes then is another. 0: each event is one. */
  readonly quietMs: number
}

/** When, how much it counts, its place. */
const counted = z.tuple([z.int(), z.int().min(1), z.int()])
const memory = z.object({ recent: z.array(counted), open: openIncident.nullable() })
type Memory = z.infer<typeof memory>

/** So many events of a kind of one subject in a short time. A threshold of one is an alert for each such event. */
export function burst({ name, kind, subjectOf, threshold, windowMs, quietMs }: BurstParts): Rule {
  return rule<Memory>({
    name,
    kind,
    subjectOf,
    forgetMs: windowMs + quietMs,
    memory,
    begin: () => ({ recent: [], open: null }),
    step({ recent, open }, { at, index, event }, subject) {
      // A summary counts for all that it sums up.
      const weight = Math.max(1, event.outcome === 'allowed' ? 1 : (event.count ?? 1))
      if (open !== null && at - open.lastAt <= quietMs && quietMs > 0) {
        const [next, incident] = goOn(open, { at, index, weight })
        return { state: { recent: [], open: next }, incident }
      }
      const within = [...recent.filter(([when]) => at - when < windowMs), [at, weight, index] as const]
      const sum = within.reduce((total, [, n]) => total + n, 0)
      if (sum < threshold) return { state: { recent: within.map((each) => [...each]), open: null }, incident: null }
      const events = within.map(([when, n, place]) => ({ at: when, weight: n, index: place }))
      const [begun, incident] = beginIncident(`${name}:${subject.key}:${within[0]?.[2] ?? index}`, events)
      return { state: { recent: [], open: begun }, incident }
    },
  })
}
