import type pg from 'pg'
import { type AlertBatch, recordParameters } from './alert-reader.ts'
import { type AuditRow, auditRowOf } from './audit-log.ts'
import { StorageUnavailable } from './errors.ts'
import type { Change } from './transaction.ts'

/** Somebody else has read on in this log meanwhile: what reads it begins anew. */
class CursorLost extends Error {
  constructor() {
    super('somebody else has read on')
    this.name = 'CursorLost'
  }
}

export type RaisedAlert = { readonly id: string; readonly kind: string }

/**
 * Takes a batch down in a transaction that audits what it raises.
 * @returns the alerts that are new, or open again
 * @throws when somebody else has read on meanwhile
 */
export async function recordAlerts({ db, tenantId }: Change, batch: AlertBatch): Promise<RaisedAlert[]> {
  const text = `SELECT * FROM wardline_alert_record($1::uuid, $2::bigint, $3::bigint, $4::timestamptz, $5::timestamptz,
    $6::jsonb, $7::jsonb, $8::integer, $9::boolean)`
  const rows = await db.$queryRawUnsafe<{ verdict: string; id: string; kind: string }[]>(
    text,
    ...recordParameters(tenantId, batch, true),
  )
  if (rows[0]?.verdict === 'lost') throw new CursorLost()
  return rows.map(({ id, kind }) => ({ id, kind }))
}

/** `open`: alerts nobody has acknowledged, counted up to 1,000. `changedAt`: epoch milliseconds; null: there never was one. */
export type AlertCounts = { readonly open: number; readonly changedAt: number | null }

/** A message to a tenant's webhook that is due. */
export type AlertReads = {
  /** Each throws `StorageUnavailable`. */
  alertCounts(tenantId: string): Promise<AlertCounts>
  /** An alert's events, newest first: by the places that it keeps, of its tenant alone. */
  alertEvents(tenantId: string, alertId: string, limit: number): Promise<(AuditRow & { readonly index: number })[]>
}

export function alertReadsFrom(pool: pg.Pool): AlertReads {
  async function rows<R extends unknown[]>(name: string, text: string, values: unknown[]): Promise<R[]> {
    try {
      return (await pool.query<R>({ name: `wardline_${name}`, text, values, rowMode: 'array' })).rows
    } catch (error) {
      throw new StorageUnavailable('reading alerts failed', { cause: error })
    }
  }
  return {
    async alertCounts(tenantId) {
      const text = 'SELECT * FROM wardline_alert_counts($1)'
      const [row] = await rows<[number, string | null]>('alert_counts', text, [tenantId])
      const changedAt = row?.[1] ?? null
      return { open: row?.[0] ?? 0, changedAt: changedAt === null ? null : Number(changedAt) }
    },
    async alertEvents(tenantId, alertId, limit) {
      const text = 'SELECT * FROM wardline_alert_refs($1,$2,$3)'
      const found = await rows<[string, string, string, Buffer, string]>('alert_refs', text, [tenantId, alertId, limit])
      return found.map(([writerId, writerSeq, at, event, index]) => ({
        ...auditRowOf([writerId, writerSeq, at, event]),
        index: Number(index),
      }))
    },
  }
}
