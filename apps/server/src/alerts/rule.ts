import type { AlertKind, WorkingHours } from '@wardline/protocol'
import { z } from 'zod'
import type { AuditEvent } from '../audit/event.ts'

/** One event of the sequenced log: its place, and when it happened in epoch milliseconds. */
export type Seen = { readonly index: number; readonly at: number; readonly event: AuditEvent }

/** Whom an event counts against. `key` tells subjects of one rule apart. */
export type Subject = {
  readonly key: string
  readonly user?: string | undefined
  readonly address?: string | undefined
  readonly patient?: string | undefined
}

/** What a tenant decides. */
export type RuleSettings = { readonly workingHours: WorkingHours | null }

/**
 * An incident that goes on: everything about it so far, whole and not as a difference, so that reading a part of the log twice changes
 * nothing. `events`: places of the events that are new in it.
 */
export type Incident = {
  /** Unique for the incident within its tenant. */
  readonly key: string
  readonly count: number
  readonly firstAt: number
  readonly lastAt: number
  readonly lastIndex: number
  readonly events: readonly number[]
}

/** What one event has done to what a rule remembers of its subject. `state` is the very one given where nothing has changed. */
export type Step = { readonly state: unknown; readonly incident: Incident | null }

/**
 * One thing to look for (R-74): a pure function over the events of the log, in its order, and over what it remembers of each subject.
 * Time is the events' own, so a log read late gives the alerts that it would have given at once.
 */
export type Rule = {
  /** Names what it remembers; never reused for something else. */
  readonly name: string
  readonly kind: AlertKind
  /** What it remembers of a subject may be forgotten when nothing was heard of them for so long. */
  readonly forgetMs: number
  /** Null: this event is none of this rule's. */
  subjectOf(seen: Seen, settings: RuleSettings): Subject | null
  /** @param stored what was remembered, as JSON; what does not read as such begins anew */
  step(stored: unknown, seen: Seen, subject: Subject): Step
}

/** A rule whose memory has a shape. */
export function rule<S>(
  parts: Omit<Rule, 'step'> & {
    readonly memory: z.ZodType<S>
    readonly begin: () => S
    readonly step: (state: S, seen: Seen, subject: Subject) => { readonly state: S; readonly incident: Incident | null }
  },
): Rule {
  const { memory, begin, step, ...rest } = parts
  return {
    ...rest,
    step(stored, seen, subject) {
      const read = memory.safeParse(stored)
      const given = read.success ? read.data : begin()
      const { state, incident } = step(given, seen, subject)
      return { state: read.success && state === given ? stored : state, incident }
    },
  }
}

const ms = z.int()
/** The incident that a rule is in the middle of. `refs`: events of it that are kept by their places. */
export const openIncident = z.object({
  key: z.string(),
  firstAt: ms,
  lastAt: ms,
  count: z.int(),
  refs: z.int(),
})
export type OpenIncident = z.infer<typeof openIncident>

/** Events of one incident that are kept by their places; the rest are counted. */
const MAX_REFERENCES = 100
/** Beyond this nobody counts. It fits the column. */
const MAX_COUNT = 2_000_000_000

export type Weighed = { readonly at: number; readonly index: number; readonly weight: number }

/** An incident begins with these events, oldest first, at least one. */
export function beginIncident(key: string, events: readonly Weighed[]): [OpenIncident, Incident] {
  const times = events.map(({ at }) => at)
  const open = {
    key,
    firstAt: Math.min(...times),
    lastAt: Math.max(...times),
    count: Math.min(
      MAX_COUNT,
      events.reduce((sum, { weight }) => sum + weight, 0),
    ),
    refs: Math.min(events.length, MAX_REFERENCES),
  }
  const places = events.map(({ index }) => index)
  return [open, incidentOf(open, Math.max(...places), places.slice(-MAX_REFERENCES))]
}

/** It goes on with this event. */
export function goOn(open: OpenIncident, { at, index, weight }: Weighed): [OpenIncident, Incident] {
  const isKept = open.refs < MAX_REFERENCES
  const next = {
    ...open,
    lastAt: Math.max(open.lastAt, at),
    count: Math.min(MAX_COUNT, open.count + weight),
    refs: open.refs + (isKept ? 1 : 0),
  }
  return [next, incidentOf(next, index, isKept ? [index] : [])]
}

function incidentOf(open: OpenIncident, lastIndex: number, events: readonly number[]): Incident {
  const { key, count, firstAt, lastAt } = open
  return { key, count, firstAt, lastAt, lastIndex, events }
}
