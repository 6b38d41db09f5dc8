import { z } from 'zod'
import { beginIncident, goOn, openIncident, type Rule, rule } from './rule.ts'
import { ofPatientAccess } from './subjects.ts'

const HOUR_MS = 3_600_000
/** Active hours that make up a person's own history, and how many there must be before it is one. */
const HISTORY_HOURS = 120
const LEAST_HISTORY = 10
/** Patients in an hour that are worth an alert: of somebody without a history; and at least, of somebody with one. */
export const NEW_PERSON_LIMIT = 80
export const LEAST_LIMIT = 20
/** So many times what is usual. */
const FACTOR = 3
/** Patients of one hour that are told apart. */
const MOST_SEEN = 500
/** Of a patient's id: enough to tell two apart, and a fraction to keep. */
const SHORT = 8

const memory = z.object({
  /** Hours since the epoch. */
  hour: z.int(),
  seen: z.array(z.string().max(SHORT)),
  /** Patients of each earlier active hour, oldest first. */
  history: z.array(z.int()),
  open: openIncident.nullable(),
})
type Memory = z.infer<typeof memory>

/** How many patients in an hour are unusual for somebody with this history: three times the hour that nine of ten stay below. */
export function volumeLimit(history: readonly number[]): number {
  if (history.length < LEAST_HISTORY) return NEW_PERSON_LIMIT
  const sorted = [...history].sort((a, b) => a - b)
  const usual = sorted[Math.floor(sorted.length * 0.9)] ?? 0
  return Math.max(LEAST_LIMIT, FACTOR * usual)
}

/** More patients in one hour than this person ever looks at: against their own history, not against others'. */
export const unusualVolume: Rule = rule<Memory>({
  name: 'unusual-volume',
  kind: 'unusual-volume',
  forgetMs: 90 * 24 * HOUR_MS,
  subjectOf: ofPatientAccess,
  memory,
  begin: () => ({ hour: 0, seen: [], history: [], open: null }),
  step(state, { at, index, event }, subject) {
    const hour = Math.floor(at / HOUR_MS)
    const patient = (event.patient ?? '').slice(0, SHORT)
    // What comes late belongs to an hour that is over: it counts with the one that runs.
    const isNext = hour > state.hour
    const known = isNext ? [] : state.seen
    if (known.includes(patient) || known.length >= MOST_SEEN) return { state, incident: null }
    const history = isNext && state.seen.length > 0 ? [...state.history, state.seen.length] : state.history
    const next = {
      hour: Math.max(hour, state.hour),
      seen: [...known, patient],
      history: history.slice(-HISTORY_HOURS),
      open: isNext ? null : state.open,
    }
    if (next.open !== null) {
      const [open, incident] = goOn(next.open, { at, index, weight: 1 })
      return { state: { ...next, open }, incident }
    }
    if (next.seen.length < volumeLimit(next.history)) return { state: next, incident: null }
    const key = `unusual-volume:${subject.key}:${next.hour}`
    const [open, incident] = beginIncident(key, [{ at, index, weight: next.seen.length }])
    return { state: { ...next, open }, incident }
  },
})
