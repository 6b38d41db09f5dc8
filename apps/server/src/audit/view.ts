import type { AuditEventView } from '@wardline/protocol'
import type { Context } from '../context.ts'
import type { AuditRow } from '../storage/audit-log.ts'
import { NIL_UUID } from '../storage/errors.ts'
import type { AuditEvent } from './event.ts'

/** What the people of these rows are called; those that are gone have no name. */
export function displayNames(
  ctx: Pick<Context, 'database'>,
  tenantId: string,
  rows: readonly AuditRow[],
): Promise<ReadonlyMap<string, string>> {
  return namesOf(
    ctx,
    tenantId,
    rows.flatMap(({ event }) => [event?.actor ?? null, event?.user ?? null]),
  )
}

/** What people are called, by id. */
export async function namesOf(
  { database }: Pick<Context, 'database'>,
  tenantId: string,
  asked: readonly (string | null)[],
): Promise<ReadonlyMap<string, string>> {
  const ids = [...new Set(asked)].filter((id): id is string => id !== null && id !== NIL_UUID)
  if (ids.length === 0) return new Map()
  const where = { tenantId, id: { in: ids } }
  const people = await database.readTenant(tenantId, (db) =>
    db.user.findMany({ where, select: { id: true, displayName: true } }),
  )
  return new Map(people.map(({ id, displayName }) => [id, displayName]))
}

/** A row as it is shown. `index`: its place in the log. */
export function viewOf(
  { writerId, writerSeq, at, event }: AuditRow,
  index: number | null,
  names: ReadonlyMap<string, string>,
): AuditEventView {
  const place = { writer: writerId, seq: writerSeq, at: new Date(at).toISOString(), index }
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
    ...thingsOf(event, names),
    patient: event.patient ?? null,
    count: event.count ?? null,
    sequence: event.seq ?? null,
    until: event.until ?? null,
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
  also: [],
  patient: null,
  count: null,
  sequence: null,
  until: null,
} satisfies Partial<AuditEventView>

/** What the event is about, the most specific first. A patient is told beside it. */
function thingsOf(event: AuditEvent, names: ReadonlyMap<string, string>): Pick<AuditEventView, 'resource' | 'also'> {
  const { alert, attachment, review, hold, message, channel, assignment, user, role, subject, key } = event
  const named = { alert, attachment, review, hold, message, channel, assignment, user, role, session: subject, key }
  const [resource = null, ...also] = Object.entries(named).flatMap(([kind, id]) =>
    id === undefined ? [] : [{ kind, id, name: kind === 'user' ? (names.get(id) ?? null) : null }],
  )
  return { resource, also }
}
