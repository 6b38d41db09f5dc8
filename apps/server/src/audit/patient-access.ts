import type { PatientAccess, patientAccessQuery } from '@wardline/protocol'
import type { z } from 'zod'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor, refuse } from '../http/decide.ts'
import type { PatientContact } from '../storage/audit-log.ts'
import { NIL_UUID } from '../storage/errors.ts'
import { attemptsOf, isRefusal } from './attempts.ts'
import { auditId } from './event.ts'
import { isListOf, listTimes } from './patient-lists.ts'
import { lookThrough } from './rows.ts'
import { namesOf } from './view.ts'

/** The end of what can be asked for: the year 9999. */
const END_OF_TIME_MS = 253_402_300_799_999
/** Rows that are read through for what the index does not hold yet: some minutes. What is beyond waits for the index. */
const MAX_TAIL_ROWS = 20_000
/** Rows read at once of those. */
const STEP = 500

type Person = PatientAccess['people'][number]
type Tally = {
  first: number
  last: number
  allowed: number
  refused: number
  lists: number
  moreLists: boolean
  readonly actions: Map<string, number>
}

/**
 * Who saw this patient, or tried to: each person once, with when, how often, and what they did; the latest first (R-73; 45 CFR 164.528,
 * 164.312(b)). A list's event names no patient: those that somebody opened while on the patient's care team are counted for them, for each
 * may have shown the patient. Asking is in the audit, under the patient. @throws Refusal
 */
export async function reportPatientAccess(
  ctx: Context,
  caller: Caller,
  patient: string,
  query: z.infer<typeof patientAccessQuery>,
): Promise<PatientAccess> {
  const { tenant } = caller.actor
  const action = 'audit.read'
  const about = { patient: auditId(patient) }
  const { reason } = await decideFor(ctx, caller, action, { kind: 'audit', tenant }, about)
  const known = await ctx.database.readTenant(tenant, (db) =>
    db.patient.count({ where: { tenantId: tenant, id: patient } }),
  )
  if (known === 0) return refuse(ctx, caller, new Refusal('not-found', 'not-found'), action, about)
  const people = await tallies(ctx, tenant, patient, query)
  const names = await namesOf(ctx, tenant, [...people.keys()])
  const count = people.size
  await ctx.database.auditOnly(tenant, { ...caller.trail, ...about, action, outcome: 'allowed', reason, count })
  return {
    patient,
    people: [...people]
      .toSorted(([, a], [, b]) => b.last - a.last)
      .map(([id, tally]) => personOf(tally, id === NIL_UUID ? null : { id, displayName: names.get(id) ?? null })),
  }
}

async function tallies(
  ctx: Context,
  tenant: string,
  patient: string,
  { from, until }: z.infer<typeof patientAccessQuery>,
): Promise<Map<string, Tally>> {
  const { database } = ctx
  const begin = from === undefined ? 0 : Date.parse(from)
  const end = until === undefined ? END_OF_TIME_MS : Date.parse(until)
  const indexed = Math.max(begin, Math.min(end, await database.auditIndexedUntil()))
  const times = await listTimes(ctx, tenant, patient, { from: begin, until: end })
  const people = new Map<string, Tally>()
  if (begin < indexed) {
    for (const contact of await database.patientContacts(tenant, patient, { from: begin, until: indexed }))
      add(people, contact)
    const before = [...times].flatMap(([actor, mine]) =>
      mine.map(({ from, until }) => ({ actor, from, until: Math.min(until, indexed) })),
    )
    const some = before.filter(({ from, until }) => from < until)
    for (const { actor, count, more, first, last } of await database.openedLists(tenant, some)) {
      const tally = tallyOf(people, actor, { first, last })
      tally.lists += count
      tally.moreLists = more
    }
  }
  let looked = 0
  const tail = { patient, from: new Date(indexed).toISOString(), ...(until === undefined ? {} : { until }) }
  for await (const { row, fits } of lookThrough(database, tenant, tail, STEP)) {
    looked += 1
    if (row.at < indexed || looked > MAX_TAIL_ROWS) break
    const { event, at } = row
    if (event === null) continue
    const { actor = null, action, outcome } = event
    const when = { first: at, last: at }
    if (fits) add(people, { actor, action, outcome, count: attemptsOf(event), ...when })
    else if (isListOf(times, event, at)) tallyOf(people, actor, when).lists += 1
  }
  return people
}

function add(people: Map<string, Tally>, { actor, action, outcome, count, first, last }: PatientContact): void {
  const tally = tallyOf(people, actor, { first, last })
  if (isRefusal(outcome)) tally.refused += count
  else tally.allowed += count
  tally.actions.set(action, (tally.actions.get(action) ?? 0) + count)
}

/** One's tally, which takes in this time. */
function tallyOf(
  people: Map<string, Tally>,
  actor: string | null,
  { first, last }: { readonly first: number; readonly last: number },
): Tally {
  const id = actor ?? NIL_UUID
  const none = { first, last, allowed: 0, refused: 0, lists: 0, moreLists: false }
  const tally = people.get(id) ?? { ...none, actions: new Map<string, number>() }
  tally.first = Math.min(tally.first, first)
  tally.last = Math.max(tally.last, last)
  people.set(id, tally)
  return tally
}

function personOf({ first, last, allowed, refused, lists, moreLists, actions }: Tally, user: Person['user']): Person {
  return {
    user,
    first: new Date(first).toISOString(),
    last: new Date(last).toISOString(),
    allowed,
    refused,
    lists,
    moreLists,
    actions: [...actions].map(([action, count]) => ({ action, count })).toSorted((a, b) => b.count - a.count),
  }
}
