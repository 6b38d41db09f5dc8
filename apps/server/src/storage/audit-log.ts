import type pg from 'pg'
import { type AuditEvent, decodeAuditEvent } from '../audit/event.ts'
import { NIL_UUID, StorageUnavailable } from './errors.ts'

/** One audit event as it was written, with its place. `at` in epoch milliseconds. */
export type AuditRow = {
  readonly writerId: string
  readonly writerSeq: number
  readonly at: number
  /** Null: the stored bytes are no event. Somebody has changed them, and the log will prove it. */
  readonly event: AuditEvent | null
}

/** Where a page ends: the next one begins below. */
export type AuditCursor = Pick<AuditRow, 'at' | 'writerId' | 'writerSeq'>

/** What the index can be asked for; absent is any. `from` in epoch milliseconds, included. */
export type AuditFilter = {
  readonly actor?: string | undefined
  readonly patient?: string | undefined
  readonly action?: string | undefined
  readonly outcome?: string | undefined
  readonly connection?: string | undefined
  readonly from?: number | undefined
}

/** What the audit log is signed for (migration …_audit_log). */
export type AuditHead = { readonly size: number; readonly note: string; readonly vkey: string }

/** Events of one outcome within a stretch of time that begins at `at`, in epoch milliseconds. */
export type AuditCount = { readonly at: number; readonly outcome: string; readonly count: number }

/** What one person (null: the system, or nobody known) had to do with a patient, by action and outcome. Times in epoch milliseconds. */
export type PatientContact = {
  readonly actor: string | null
  readonly action: string
  readonly outcome: string
  readonly count: number
  readonly first: number
  readonly last: number
}

/** Lists that somebody opened. `more`: at least so many. Times in epoch milliseconds. */
export type OpenedLists = {
  readonly actor: string
  readonly count: number
  readonly more: boolean
  readonly first: number
  readonly last: number
}

/** From, and until but not including; epoch milliseconds. */
export type Period = { readonly from: number; readonly until: number }

/** Lists of one person in one stretch of time that are counted. */
const MAX_LISTS = 200

/** The most rows of one page. */
export const MAX_AUDIT_PAGE = 500

/** Each is one round trip, and throws `StorageUnavailable` when the database is away. */
export type AuditReads = {
  /** A tenant's audit events, newest first; null: those of no tenant. At most {@link MAX_AUDIT_PAGE}, from below `before` on. */
  readAudit(
    tenantId: string | null,
    page: { readonly before?: AuditCursor | undefined; readonly limit: number },
  ): Promise<AuditRow[]>
  /** Those that fit, by the index: complete only for what is before {@link AuditReads.auditIndexedUntil}. */
  findAudit(
    tenantId: string,
    filter: AuditFilter,
    page: { readonly before: AuditCursor; readonly limit: number },
  ): Promise<AuditRow[]>
  /** Epoch milliseconds: every earlier event is in the index. */
  auditIndexedUntil(): Promise<number>
  /** How many fit in each stretch of `stepMs`, by the index; those without any are left out. */
  countAudit(tenantId: string, filter: Omit<AuditFilter, 'from'>, period: Period, stepMs: number): Promise<AuditCount[]>
  /** The hour of the tenant's first event in the index; null: there is none. */
  auditBeginning(tenantId: string): Promise<number | null>
  /** Who had to do with a patient, by the index. What an event of refusals sums up is counted whole. */
  patientContacts(tenantId: string, patient: string, period: Period): Promise<PatientContact[]>
  /** The lists of patients and of channels that people opened, each in times of their own that are apart, by the index. */
  openedLists(tenantId: string, times: readonly (Period & { readonly actor: string })[]): Promise<OpenedLists[]>
  /** The places in the audit log of these events, in their order; null for those that have none. */
  auditPlaces(tenantId: string, rows: readonly AuditCursor[]): Promise<(number | null)[]>
  /** Null: nothing was signed yet. */
  auditHead(): Promise<AuditHead | null>
}

export function auditReadsFrom(pool: pg.Pool): AuditReads {
  async function rows<R extends unknown[]>(name: string, text: string, values: unknown[]): Promise<R[]> {
    try {
      const query = { name: `wardline_${name}`, text, values, rowMode: 'array' as const }
      return (await pool.query<R>(query)).rows
    } catch (error) {
      throw new StorageUnavailable('reading the audit failed', { cause: error })
    }
  }

  return {
    async readAudit(tenantId, { before, limit }) {
      const found = await rows<EventColumns>('audit_page', 'SELECT * FROM wardline_audit_page($1,$2,$3,$4,$5)', [
        tenantId ?? NIL_UUID,
        before === undefined ? null : new Date(before.at).toISOString(),
        before?.writerId ?? null,
        before?.writerSeq ?? null,
        Math.min(limit, MAX_AUDIT_PAGE),
      ])
      return found.map(auditRowOf)
    },
    async findAudit(tenantId, { actor, patient, action, outcome, connection, from }, { before, limit }) {
      const text = 'SELECT * FROM wardline_audit_find($1,$2,$3,$4,$5,$6,$7,$8,$9,$10,$11)'
      const found = await rows<EventColumns>('audit_find', text, [
        tenantId,
        actor ?? null,
        patient ?? null,
        action ?? null,
        outcome ?? null,
        connection ?? null,
        from === undefined ? null : new Date(from).toISOString(),
        new Date(before.at).toISOString(),
        before.writerId,
        before.writerSeq,
        Math.min(limit, MAX_AUDIT_PAGE),
      ])
      return found.map(auditRowOf)
    },
    async countAudit(tenantId, { actor, patient, action, outcome, connection }, { from, until }, stepMs) {
      const text = 'SELECT * FROM wardline_audit_histogram($1,$2,$3,$4,$5,$6,$7,$8,$9)'
      const found = await rows<[string, string, string]>('audit_histogram', text, [
        tenantId,
        actor ?? null,
        patient ?? null,
        action ?? null,
        outcome ?? null,
        connection ?? null,
        new Date(from).toISOString(),
        new Date(until).toISOString(),
        `${stepMs / 1000} seconds`,
      ])
      return found.map(([at, of, count]) => ({ at: Number(at), outcome: of, count: Number(count) }))
    },
    async auditBeginning(tenantId) {
      const [row] = await rows<[string | null]>('audit_beginning', 'SELECT wardline_audit_beginning($1)', [tenantId])
      const at = row?.[0] ?? null
      return at === null ? null : Number(at)
    },
    async patientContacts(tenantId, patient, { from, until }) {
      const text = 'SELECT * FROM wardline_audit_who($1,$2,$3,$4)'
      const values = [tenantId, patient, new Date(from).toISOString(), new Date(until).toISOString()]
      const found = await rows<[string | null, string, string, string, string, string]>('audit_who', text, values)
      return found.map(([actor, action, outcome, count, first, last]) => ({
        actor,
        action,
        outcome,
        count: Number(count),
        first: Number(first),
        last: Number(last),
      }))
    },
    async openedLists(tenantId, times) {
      if (times.length === 0) return []
      const text = 'SELECT * FROM wardline_audit_lists($1,$2,$3,$4,$5)'
      const values = [
        tenantId,
        times.map(({ actor }) => actor),
        times.map(({ from }) => new Date(from).toISOString()),
        times.map(({ until }) => new Date(until).toISOString()),
        MAX_LISTS,
      ]
      const found = await rows<[string, string, boolean, string, string]>('audit_lists', text, values)
      return found.map(([actor, count, more, first, last]) => ({
        actor,
        count: Number(count),
        more,
        first: Number(first),
        last: Number(last),
      }))
    },
    async auditIndexedUntil() {
      const text = 'SELECT extract(epoch FROM safe_at) * 1000 FROM audit_log.indexed'
      const [row] = await rows<[string]>('audit_indexed', text, [])
      const at = Number(row?.[0] ?? 0)
      // An endless time is none of the sequencer's: nothing is taken from the index then.
      return Number.isFinite(at) ? at : 0
    },
    async auditPlaces(tenantId, events) {
      const places: (number | null)[] = events.map(() => null)
      if (events.length === 0) return places
      const found = await rows<[number, string]>('audit_places', 'SELECT * FROM wardline_audit_places($1,$2,$3)', [
        tenantId,
        events.map(({ writerId }) => writerId),
        events.map(({ writerSeq }) => writerSeq),
      ])
      for (const [ord, place] of found) places[ord] = Number(place)
      return places
    },
    async auditHead() {
      const [row] = await rows<[string, Buffer, string]>(
        'audit_head',
        'SELECT size, note, vkey FROM audit_log.head',
        [],
      )
      return row === undefined ? null : { size: Number(row[0]), note: row[1].toString(), vkey: row[2] }
    },
  }
}

type EventColumns = [string, string, string, Buffer | null]

/** A row as the functions of the audit answer it. */
export function auditRowOf([writerId, writerSeq, at, event]: EventColumns): AuditRow {
  return { writerId, writerSeq: Number(writerSeq), at: Number(at), event: decoded(event) }
}

function decoded(bytes: Uint8Array | null): AuditEvent | null {
  try {
    return bytes === null ? null : decodeAuditEvent(bytes)
  } catch {
    return null
  }
}
