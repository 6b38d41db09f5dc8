import type { AlertKind } from '@wardline/protocol'
import type { Incident, Rule, RuleSettings, Seen, Subject } from './rule.ts'

/** An event that concerns a rule's subject. */
export type Touch = { readonly rule: Rule; readonly subject: Subject; readonly seen: Seen }

/** What a rule remembers of a subject, under this key. */
export type Window = { readonly rule: string; readonly subject: string; readonly state: unknown }

/** An incident, whole, with whom it is about. */
export type Found = Incident & { readonly kind: AlertKind; readonly subject: Subject }

/** Which rules these events concern, in the events' order. */
export function touchesOf(rules: readonly Rule[], events: readonly Seen[], settings: RuleSettings): Touch[] {
  return events.flatMap((seen) =>
    rules.flatMap((rule) => {
      const subject = rule.subjectOf(seen, settings)
      return subject === null ? [] : [{ rule, subject, seen }]
    }),
  )
}

export function windowKey(rule: string, subject: string): string {
  return `${rule} ${subject}`
}

/**
 * Runs the rules over the events that concern them.
 *
 * @param stored what is remembered, by {@link windowKey}; absent is nothing yet
 * @returns what is to be remembered in its place (only where it has changed), and every incident that began or went on
 */
export function fold(
  touches: readonly Touch[],
  stored: ReadonlyMap<string, unknown>,
): { readonly windows: Window[]; readonly found: Found[] } {
  const states = new Map(stored)
  const changed = new Map<string, Window>()
  const found = new Map<string, Found>()
  for (const { rule, subject, seen } of touches) {
    const key = windowKey(rule.name, subject.key)
    const before = states.get(key)
    const { state, incident } = rule.step(before, seen, subject)
    states.set(key, state)
    if (state !== before) changed.set(key, { rule: rule.name, subject: subject.key, state })
    if (incident === null) continue
    const earlier = found.get(incident.key)
    const events = [...(earlier?.events ?? []), ...incident.events]
    // Of whom it was first about, with the newest numbers.
    found.set(incident.key, { ...incident, events, kind: rule.kind, subject: earlier?.subject ?? subject })
  }
  return { windows: [...changed.values()], found: [...found.values()] }
}
