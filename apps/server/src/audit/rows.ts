import type { auditQuery } from '@wardline/protocol'
import type { z } from 'zod'
import { badCursor } from '../http/page.ts'
import { type AuditCursor, type AuditRow, MAX_AUDIT_PAGE } from '../storage/audit-log.ts'
import { NIL_UUID } from '../storage/errors.ts'
import type { Database } from '../storage/open.ts'

type AuditQuery = z.infer<typeof auditQuery>
/** What to look for, and where to begin. */
export type RowsQuery = Omit<AuditQuery, 'limit'>

const PLACE = /^(\d{1,15})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(\d{1,15})$/

/**
 * A tenant's audit rows that were looked at, newest first, and whether each fits the filter. What the index holds is asked of the index;
 * the rest, some minutes, is read through. `step`: rows of one reading. @throws Refusal `invalid` on a cursor that is none
 */
export async function* lookThrough(
  database: Database,
  tenant: string,
  query: RowsQuery,
  step: number,
): AsyncGenerator<{ readonly row: AuditRow; readonly fits: boolean }> {
  const from = query.from === undefined ? Number.NEGATIVE_INFINITY : Date.parse(query.from)
  const filtered = isSelective(query)
  const indexedUntil = filtered ? await database.auditIndexedUntil() : Number.NEGATIVE_INFINITY
  const newest = Math.max(from, indexedUntil)
  let before = startOf(query)
  let isMore = before === undefined || before.at >= indexedUntil
  while (isMore) {
    const size = filtered ? MAX_AUDIT_PAGE : step
    const rows = await database.readAudit(tenant, { before, limit: size })
    for (const row of rows) {
      if (row.at < newest) break
      before = row
      yield { row, fits: fits(row, query) }
    }
    isMore = rows.length === size && (rows.at(-1)?.at ?? newest) >= newest
  }
  if (filtered) yield* lookUp(database, tenant, query, { from, before: before ?? null, indexedUntil, step })
}

type IndexPart = {
  readonly from: number
  readonly before: AuditCursor | null
  readonly indexedUntil: number
  readonly step: number
}

async function* lookUp(
  database: Database,
  tenant: string,
  { actor, patient, action, outcome, connection }: RowsQuery,
  { from, before, indexedUntil, step }: IndexPart,
): AsyncGenerator<{ readonly row: AuditRow; readonly fits: boolean }> {
  const filter = { actor, patient, action, outcome, connection, from: Number.isFinite(from) ? from : undefined }
  const start = { at: indexedUntil, writerId: NIL_UUID, writerSeq: 0 }
  let place: AuditCursor = before === null || before.at >= indexedUntil ? start : before
  for (;;) {
    const rows = await database.findAudit(tenant, filter, { before: place, limit: step })
    for (const row of rows) {
      place = row
      yield { row, fits: true }
    }
    if (rows.length < step) return
  }
}

/** Where the last page ended, or just before `until`. */
function startOf({ cursor, until }: RowsQuery): AuditCursor | undefined {
  if (cursor !== undefined) {
    const [, at, writerId, writerSeq] = PLACE.exec(cursor) ?? []
    if (at === undefined || writerId === undefined || writerSeq === undefined) throw badCursor()
    return { at: Number(at), writerId, writerSeq: Number(writerSeq) }
  }
  return until === undefined ? undefined : { at: Date.parse(until), writerId: NIL_UUID, writerSeq: 0 }
}

/** Where the next page begins. */
export function cursorOf({ at, writerId, writerSeq }: AuditCursor): string {
  return `${at}.${writerId}.${writerSeq}`
}

/** Nearly everything was allowed: reading through finds that faster than any index. */
function isSelective(query: RowsQuery): boolean {
  return isFiltered(query.outcome === 'allowed' ? { ...query, outcome: undefined } : query)
}

function isFiltered({ actor, patient, action, outcome, connection }: RowsQuery): boolean {
  return [actor, patient, action, outcome, connection].some((each) => each !== undefined)
}

function fits({ event }: AuditRow, query: RowsQuery): boolean {
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
