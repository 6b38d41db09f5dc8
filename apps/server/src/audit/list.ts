import type { AuditEventView, auditQuery } from '@wardline/protocol'
import type { z } from 'zod'
import type { Context } from '../context.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor } from '../http/decide.ts'
import { badCursor, type Page } from '../http/page.ts'
import type { AuditCursor, AuditRow } from '../storage/audit-log.ts'
import { NIL_UUID } from '../storage/errors.ts'
import { type AuditEvent, auditId } from './event.ts'

export type AuditQuery = z.infer<typeof auditQuery>

/** Rows of one reading through a filter, and of one request: a filter that matches next to nothing must not read six years in one go. */
const READ_ROWS = 500
const MAX_ROWS = 5_000

const PLACE = /^(\d{1,15})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(\d{1,15})$/

/**
 * The tenant's audit events, newest first, that fit the filter. So many are looked at for one page: it may be short, or empty, and
 * `next` goes on from there. Looking at the audit is in the audit. @throws Refusal
 */
export async function listAudit(ctx: Context, caller: Caller, query: AuditQuery): Promise<Page<AuditEventView>> {
  const { tenant } = caller.actor
  const action = 'audit.read'
  const about = {
    ...(query.patient === undefined ? {} : { patient: auditId(query.patient) }),
    ...(query.actor === undefined ? {} : { user: auditId(query.actor) }),
  }
  const { reason } = await decideFor(ctx, caller, action, { kind: 'audit', tenant }, about)
  const { rows, next } = await findRows(ctx, tenant, query)
  const names = await displayNames(ctx, tenant, rows)
  const count = rows.length
  await ctx.database.auditOnly(tenant, { ...caller.trail, ...about, action, outcome: 'allowed', reason, count })
  return { items: rows.map((row) => viewOf(row, names)), next }
}

async function findRows(
  { database }: Context,
  tenant: string,
  query: AuditQuery,
): Promise<{ rows: AuditRow[]; next: string | null }> {
  const from = query.from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(query.from)
  const rows: AuditRow[] = []
  const size = isFiltered(query) ? READ_ROWS : query.limit + 1
  let before = startOf(query)
  for (let looked = 0; looked < MAX_ROWS; ) {
    const read = await database.readAudit(tenant, { before, limit: size })
    for (const row of read) {
      if (row.at < from) return { rows, next: null }
      if (rows.length === query.limit) return { rows, next: cursorOf(before) }
      before = row
      looked += 1
      if (fits(row, query)) rows.push(row)
    }
    if (read.length < size) return { rows, next: null }
  }
  return { rows, next: cursorOf(before) }
}

/** Where the last page ended, or just before `until`. */
function startOf({ cursor, until }: AuditQuery): AuditCursor | undefined {
  if (cursor !== undefined) {
    const [, at, writerId, writerSeq] = PLACE.exec(cursor) ?? []
    if (at === undefined || writerId === undefined || writerSeq === undefined) throw badCursor()
    return { at: Number(at), writerId, writerSeq: Number(writerSeq) }
  }
  return until === undefined ? undefined : { at: Date.parse(until), writerId: NIL_UUID, writerSeq: 0 }
}

function cursorOf(place: AuditCursor | undefined): string | null {
  return place === undefined ? null : `${place.at}.${place.writerId}.${place.writerSeq}`
}

function isFiltered({ actor, patient, action, outcome, connection }: AuditQuery): boolean {
  return [actor, patient, action, outcome, connection].some((each) => each !== undefined)
}

function fits({ event }: AuditRow, query: AuditQuery): boolean {
  const { actor, patient, action, outcome, connection } = query
  if (event === null) return !isFiltered(query)
  return (
    (actor === undefined || event.actor === actor) &&
    (patient === undefined || event.patient === patient) &&
    (action === undefined || event.action === action) &&
    (outcome === undefined || event.outcome === outcome) &&
    (connection === undefined || event.connection === connection)
  )
}

async function displayNames(
  { database }: Context,
  tenantId: string,
  rows: readonly AuditRow[],
): Promise<ReadonlyMap<string, string>> {
  const ids = new Set(rows.flatMap(({ event }) => event?.actor ?? []))
  if (ids.size === 0) return new Map()
  const where = { tenantId, id: { in: [...ids] } }
  const people = await database.readTenant(tenantId, (db) =>
    db.user.findMany({ where, select: { id: true, displayName: true } }),
  )
  return new Map(people.map(({ id, displayName }) => [id, displayName]))
}

function viewOf({ writerId, writerSeq, at, event }: AuditRow, names: ReadonlyMap<string, string>): AuditEventView {
  const place = { writer: writerId, seq: writerSeq, at: new Date(at).toISOString() }
  // Whoever changed the stored bytes has left a row that says nothing but that.
  if (event === null) return { ...place, ...NOTHING, action: 'audit.unreadable', outcome: 'failed' }
  const { actor } = event
  return {
    ...place,
    action: event.action,
    outcome: event.outcome,
    reason: event.reason ?? null,
    actor: actor === undefined || actor === NIL_UUID ? null : { id: actor, displayName: names.get(actor) ?? null },
    session: event.session ?? null,
    device: event.device ?? null,
    connection: event.connection ?? null,
    address: event.address ?? null,
    origin: event.origin ?? null,
    resource: resourceOf(event),
    patient: event.patient ?? null,
  }
}

const NOTHING = {
  reason: null,
  actor: null,
  session: null,
  device: null,
  connection: null,
  address: null,
  origin: null,
  resource: null,
  patient: null,
} as const

/** The most specific thing that the event is about. A patient is told beside it. */
function resourceOf(event: AuditEvent): AuditEventView['resource'] {
  const { attachment, message, channel, assignment, user, role, subject, key } = event
  const named = { attachment, message, channel, assignment, user, role, session: subject, key }
  for (const [kind, id] of Object.entries(named)) if (id !== undefined) return { kind, id }
  return null
}
