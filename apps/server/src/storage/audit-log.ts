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

/** The most rows of one page. */
const MAX_AUDIT_PAGE = 500

/**
 * A tenant's audit events, newest first; null: those of no tenant.
 *
 * @param page `before`: the cursor of the last row already read; `limit` at most {@link MAX_AUDIT_PAGE}
 * @throws StorageUnavailable
 */
export async function readAudit(
  pool: pg.Pool,
  tenantId: string | null,
  page: { readonly before?: AuditCursor | undefined; readonly limit: number },
): Promise<AuditRow[]> {
  const { before } = page
  try {
    const { rows } = await pool.query<[string, string, string, Buffer]>({
      name: 'wardline_audit_page',
      text: 'SELECT * FROM wardline_audit_page($1,$2,$3,$4,$5)',
      values: [
        tenantId ?? NIL_UUID,
        before === undefined ? null : new Date(before.at).toISOString(),
        before?.writerId ?? null,
        before?.writerSeq ?? null,
        Math.min(page.limit, MAX_AUDIT_PAGE),
      ],
      rowMode: 'array',
    })
    return rows.map(([writerId, writerSeq, at, event]) => ({
      writerId,
      writerSeq: Number(writerSeq),
      at: Number(at),
      event: decoded(event),
    }))
  } catch (error) {
    throw new StorageUnavailable('reading the audit failed', { cause: error })
  }
}

function decoded(bytes: Uint8Array): AuditEvent | null {
  try {
    return decodeAuditEvent(bytes)
  } catch {
    return null
  }
}
