import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type AuditEvent, auditAddress, auditId, auditRole, auditTime } from '../audit/event.ts'
import type { AuditAction, AuditReason } from '../audit/vocabulary.ts'
import { NIL_UUID } from '../storage/errors.ts'
import { burst } from './burst.ts'
import { type Found, fold, touchesOf, windowKey } from './evaluate.ts'
import { isWithin } from './hours.ts'
import type { Rule, RuleSettings, Seen } from './rule.ts'
import { RULES } from './rules.ts'
import { ofActor } from './subjects.ts'
import { LEAST_LIMIT, NEW_PERSON_LIMIT, volumeLimit } from './volume.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** A Sunday at noon, UTC. */
const T = Date.UTC(2026, 10, 22, 12)
const NO_SETTINGS: RuleSettings = { workingHours: null }

const idOf = (n: number) => auditId(`${n.toString(16).padStart(8, '0')}-0000-4000-8000-000000000000`)
const LIND = idOf(1)

function eventOf(at: number, over: Partial<AuditEvent>): AuditEvent {
  return {
    v: 1,
    at: auditTime(at),
    tenant: idOf(9),
    action: 'auth.login',
    outcome: 'refused',
    actor: LIND,
    address: auditAddress('192.0.2.7'),
    ...over,
  }
}

/** Events at these times, in the log one after the other. */
function seenAt(times: readonly number[], over: (n: number) => Partial<AuditEvent>): Seen[] {
  return times.map((at, index) => ({ index, at, event: eventOf(at, over(index)) }))
}

/** What the rules find in a log that is read in these portions; what they remember goes through JSON in between, as in the database. */
function read(portions: readonly (readonly Seen[])[], rules: readonly Rule[] = RULES, settings = NO_SETTINGS) {
  let stored = new Map<string, unknown>()
  const found = new Map<string, Found>()
  for (const portion of portions) {
    const { windows, found: more } = fold(touchesOf(rules, portion, settings), stored)
    for (const { rule, subject, state } of windows) stored.set(windowKey(rule, subject), state)
    stored = new Map([...stored].map(([key, state]) => [key, JSON.parse(JSON.stringify(state))]))
    for (const each of more) {
      const events = [...(found.get(each.key)?.events ?? []), ...each.events]
      found.set(each.key, { ...each, events })
    }
  }
  return { found: [...found.values()], stored }
}

const kindsOf = (events: readonly Seen[], settings = NO_SETTINGS) =>
  read([events], RULES, settings).found.map(({ kind }) => kind)

const every = (count: number, ms: number, from = T) => Array.from({ length: count }, (_, n) => from + n * ms)

describe('R-74 rules on bursts', () => {
  it.each<[string, number, AuditAction, AuditReason]>([
    ['refused-access', 10, 'channel.subscribe', 'no-care-team'],
    ['refused-access', 10, 'patient.read', 'not-found'],
    ['token-failures', 20, 'auth.request', 'proof'],
    ['sign-in-guessing', 8, 'auth.login', 'password'],
    ['sign-in-guessing', 8, 'auth.login', 'attempts'],
    ['factor-guessing', 5, 'auth.passkey', 'passkey'],
    ['factor-guessing', 5, 'auth.second-factor', 'second-factor'],
    ['factor-guessing', 5, 'auth.step-up', 'password'],
    ['limits', 100, 'limit.hit', 'rate'],
    ['proof-replay', 1, 'auth.request', 'proof-replay'],
    ['stolen-token', 1, 'socket.authenticate', 'device-mismatch'],
    ['refresh-reuse', 1, 'auth.refresh', 'refresh-reuse'],
    ['authenticator-clone', 1, 'auth.second-factor', 'cloned-authenticator'],
  ])('%s: at %i and not before', (kind, threshold, action, reason) => {
    const times = every(threshold, 1_000)
    expect(kindsOf(seenAt(times, () => ({ action, reason })))).toEqual([kind])
    expect(kindsOf(seenAt(times.slice(1), () => ({ action, reason })))).toEqual([])
    // What is allowed is none of it, and neither are these over days.
    expect(kindsOf(seenAt(times, () => ({ action, reason, outcome: 'allowed' })))).toEqual([])
    if (threshold > 1) expect(kindsOf(seenAt(every(threshold, HOUR), () => ({ action, reason })))).toEqual([])
  })

  it('count each person by themselves, and a summary for all that it sums up', () => {
    const refused = { action: 'channel.subscribe', reason: 'no-care-team' } as const
    const ofMany = seenAt(every(30, 1_000), (n) => ({ ...refused, actor: idOf(n + 1) }))
    expect(kindsOf(ofMany)).toEqual([])
    const summed = seenAt(every(6, 1_000), (n) => (n === 5 ? { ...refused, count: 40 } : refused))
    expect(read([summed]).found).toMatchObject([{ kind: 'refused-access', count: 45, subject: { user: LIND } }])
  })

  it('strangers count by their network: an IPv6 address as its /64', () => {
    const guesses = seenAt(every(50, 1_000), (n) => {
      const { actor: _, ...nobody } = eventOf(T, {
        action: 'auth.login',
        reason: 'unknown-user',
        address: auditAddress(`2001:db8:1:2::${(n + 1).toString(16)}`),
      })
      return { ...nobody, actor: undefined }
    })
    expect(read([guesses]).found).toMatchObject([
      { kind: 'sign-in-guessing', count: 50, subject: { address: '2001:db8:1:2::/64' } },
    ])
  })

  it('an incident that goes on is one, until it has been quiet', () => {
    const replay = { action: 'auth.request', reason: 'proof-replay' } as const
    const going = every(40, 10 * MINUTE)
    expect(read([seenAt(going, () => replay)]).found).toMatchObject([{ count: 40, firstAt: T, lastAt: going.at(-1) }])
    expect(kindsOf(seenAt([T, T + HOUR], () => replay))).toHaveLength(2)
  })

  it('each use of emergency access is its own, with its patient', () => {
    const open = { action: 'emergency-access.open', outcome: 'allowed', reason: 'role' } as const
    const { found } = read([seenAt([T, T + 1], (n) => ({ ...open, patient: idOf(n + 50) }))])
    expect(found).toMatchObject([
      { kind: 'emergency-access', count: 1, subject: { user: LIND, patient: idOf(50) } },
      { kind: 'emergency-access', count: 1, subject: { patient: idOf(51) } },
    ])
  })

  it.each<[string, Partial<AuditEvent>, string[]]>([
    ['of somebody who has signed in', { count: 3 }, ['set-up-link']],
    ['of an administrator', { count: 3, role: auditRole('administrator') }, ['privileged-set-up-link']],
    ['written before it was told how often they had', {}, ['set-up-link']],
    ['of a newcomer', { count: 0, role: auditRole('administrator') }, []],
    ['that was refused', { count: 3, outcome: 'refused' }, []],
  ])('a set-up link %s', (_, about, kinds) => {
    const made = { action: 'password.reset', outcome: 'allowed', reason: 'role', user: idOf(2), ...about } as const
    expect(kindsOf(seenAt([T], () => made))).toEqual(kinds)
    // At the machine, where nobody is known, as well.
    expect(kindsOf(seenAt([T], () => ({ ...made, actor: auditId(NIL_UUID) })))).toEqual(kinds)
  })

  it('set-up links: those of an hour at the help desk are one alert, of people who administer or oversee each is its own', () => {
    const made = { action: 'password.reset', outcome: 'allowed', reason: 'role', count: 1 } as const
    const times = every(4, 10 * MINUTE)
    expect(read([seenAt(times, (n) => ({ ...made, user: idOf(n + 2) }))]).found).toMatchObject([{ count: 4 }])
    expect(kindsOf(seenAt(times, () => ({ ...made, role: auditRole('auditor') })))).toHaveLength(4)
  })

  it.each<[string, Partial<AuditEvent>, string[]]>([
    ['by an administrator', {}, ['factor-reset']],
    ['at the machine, where nobody is known', { actor: auditId(NIL_UUID) }, ['factor-reset']],
    ['by a set-up link, of which an alarm has rung', { reason: 'administrator' }, []],
    ['that was refused', { outcome: 'refused' }, []],
  ])('a reset of second factors %s', (_, about, kinds) => {
    const reset = { action: 'factor.reset', outcome: 'allowed', reason: 'role', user: idOf(2), ...about } as const
    expect(kindsOf(seenAt([T], () => reset))).toEqual(kinds)
    // Of one person again within the hour it is the same alert, of another another.
    expect(kindsOf(seenAt(every(2, MINUTE), () => reset))).toEqual(kinds)
    expect(kindsOf(seenAt(every(2, MINUTE), (n) => ({ ...reset, user: idOf(n + 2) })))).toEqual([...kinds, ...kinds])
  })

  it('a message that was tampered with', () => {
    const tampered = { action: 'message.unreadable', outcome: 'failed', reason: 'tampered', channel: idOf(3) } as const
    expect(kindsOf(seenAt(every(3, MINUTE), () => tampered))).toEqual(['tampered-message'])
  })
})

describe('R-74 rules on a person’s own history', () => {
  const reading = (at: number, patients: number) =>
    seenAt(every(patients, 1_000, at), (n) => ({ action: 'patient.read', outcome: 'allowed', patient: idOf(n + 100) }))
  const inOrder = (portions: readonly Seen[][]) => portions.flat().map((seen, index) => ({ ...seen, index }))

  it('unusual-volume: of somebody new, very many', () => {
    expect(kindsOf(reading(T, NEW_PERSON_LIMIT))).toEqual(['unusual-volume'])
    expect(kindsOf(reading(T, NEW_PERSON_LIMIT - 1))).toEqual([])
  })

  it('unusual-volume: of somebody known, three times what is usual for them', () => {
    const usual = Array.from({ length: 20 }, (_, n) => reading(T + n * HOUR, 12))
    const kinds = (patients: number) =>
      kindsOf(inOrder([...usual, reading(T + 20 * HOUR, patients)])).filter((kind) => kind === 'unusual-volume')
    expect(kinds(35)).toEqual([])
    expect(kinds(36)).toEqual(['unusual-volume'])
    expect(volumeLimit(Array.from({ length: 50 }, () => 1))).toBe(LEAST_LIMIT)
  })

  it('unusual-volume: the same patients again are not more', () => {
    const again = inOrder(Array.from({ length: 30 }, () => reading(T, 20)))
    expect(kindsOf(again)).toEqual([])
  })

  it('off-hours: who has always come by day comes by night', () => {
    const days = Array.from({ length: 16 }, (_, n) => reading(T + n * DAY, 1))
    const kinds = (at: number) => kindsOf(inOrder([...days, reading(at, 1)]))
    expect(kinds(T + 16 * DAY + 13 * HOUR)).toEqual(['off-hours'])
    expect(kinds(T + 16 * DAY + HOUR)).toEqual([])
    expect(kindsOf(inOrder([...days.slice(0, 10), reading(T + 10 * DAY + 13 * HOUR, 1)]))).toEqual([])
  })

  it('off-hours: administration outside the hours that the tenant has set', () => {
    const act = seenAt([T], () => ({ action: 'role.assign', outcome: 'allowed' }))
    const hours = (from: number, until: number) => ({ workingHours: { zone: 'America/Chicago', from, until } })
    // Noon UTC is six in the morning there.
    expect(kindsOf(act, hours(7 * 60, 19 * 60))).toEqual(['off-hours'])
    expect(kindsOf(act, hours(6 * 60, 19 * 60))).toEqual([])
    expect(kindsOf(act, NO_SETTINGS)).toEqual([])
    expect(isWithin(T, { zone: 'UTC', from: 22 * 60, until: 13 * 60 })).toBe(true)
    expect(isWithin(T, { zone: 'UTC', from: 22 * 60, until: 12 * 60 })).toBe(false)
  })
})

describe('rules as functions', () => {
  const reasons: readonly AuditReason[] = ['no-care-team', 'proof-replay', 'password', 'rate', 'second-factor', 'token']
  const actions: readonly AuditAction[] = [
    'auth.login',
    'auth.request',
    'channel.subscribe',
    'limit.hit',
    'patient.read',
  ]
  const log = fc
    .array(
      fc.record({
        gap: fc.integer({ min: 0, max: 4 * MINUTE }),
        action: fc.constantFrom(...actions),
        reason: fc.constantFrom(...reasons),
        who: fc.integer({ min: 1, max: 3 }),
        outcome: fc.constantFrom<'allowed' | 'refused'>('allowed', 'refused'),
        patient: fc.integer({ min: 1, max: 200 }),
      }),
      { maxLength: 120 },
    )
    .map((made) => {
      let at = T
      return made.map(({ gap, who, patient, ...over }, index): Seen => {
        at += gap
        return { index, at, event: eventOf(at, { ...over, actor: idOf(who), patient: idOf(patient + 100) }) }
      })
    })

  it('find the same however the log is cut into portions', () => {
    fc.assert(
      fc.property(log, fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 }), (events, cuts) => {
        const portions: Seen[][] = []
        let rest = events
        for (let n = 0; rest.length > 0; n += 1) {
          const cut = cuts[n % cuts.length] ?? 1
          portions.push(rest.slice(0, cut))
          rest = rest.slice(cut)
        }
        expect(read(portions)).toEqual(read([events]))
      }),
    )
  })

  it('a burst is found exactly where so many are within so long', () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 2 * MINUTE }), { maxLength: 60 })
    fc.assert(
      fc.property(gaps, fc.integer({ min: 1, max: 8 }), (gaps, threshold) => {
        const one = burst({
          name: 'one',
          kind: 'limits',
          subjectOf: ofActor,
          threshold,
          windowMs: 5 * MINUTE,
          quietMs: 5 * MINUTE,
        })
        let at = T
        const times = gaps.map((gap) => {
          at += gap
          return at
        })
        const isThere = times.some(
          (last, n) => n + 1 >= threshold && last - (times[n + 1 - threshold] ?? 0) < 5 * MINUTE,
        )
        const { found } = read([seenAt(times, () => ({}))], [one])
        expect(found.length > 0).toBe(isThere)
        // No event is in two incidents, and none is counted twice.
        const all = found.flatMap(({ events }) => events)
        expect(new Set(all).size).toBe(all.length)
        expect(found.reduce((sum, { count }) => sum + count, 0)).toBeLessThanOrEqual(times.length)
      }),
    )
  })

  it('remember a bounded amount of each subject', () => {
    const refused = seenAt(every(5_000, 100), () => ({ action: 'limit.hit', reason: 'rate' }))
    const seen = seenAt(every(5_000, 100), (n) => ({
      action: 'patient.read',
      outcome: 'allowed',
      patient: idOf(n + 9),
    }))
    const { stored } = read([refused, seen])
    for (const [key, state] of stored) expect(JSON.stringify(state).length, key).toBeLessThan(8_000)
  })

  it('begin anew from what they cannot read', () => {
    const [seen] = seenAt([T], () => ({ action: 'auth.request', reason: 'proof-replay' }))
    const rule = RULES.find(({ name }) => name === 'proof-replay')
    for (const spoiled of [null, 'x', { recent: 1 }, []]) {
      expect(seen && rule?.step(spoiled, seen, { key: LIND }).incident).toMatchObject({ count: 1 })
    }
  })

  it('have names of their own', () => {
    expect(new Set(RULES.map(({ name }) => name)).size).toBe(RULES.length)
  })
})
