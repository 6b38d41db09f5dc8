import { type RawRow, rowOf } from './outbox-reader.ts'
import type { IndexRow, PendingRow, RowKey, WriterCount } from './sequencer-rows.ts'
import { SequencerStore } from './sequencer-store.ts'

/** What is read to hold the database against its log (audit/compare): everything that either says of an event. */
export class CompareStore extends SequencerStore {
  /** The rows at these keys, in no order; those that are not there are left out. */
  async readRowsAt(keys: readonly RowKey[]): Promise<PendingRow[]> {
    const rows = await this.rows<RawRow>(
      `SELECT x.tenant_id, x.writer_id, x.writer_seq, (extract(epoch FROM x.at) * 1000)::float8, encode(x.event, 'escape')
       FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS k (tenant, writer, seq)
       JOIN audit_outbox x ON x.tenant_id = k.tenant AND x.writer_id = k.writer AND x.writer_seq = k.seq`,
      [keys.map((key) => key.tenantId), keys.map((key) => key.writerId), keys.map((key) => key.seq)],
    )
    return rows.map(rowOf)
  }

  /** The index of these places, in no order. */
  async readIndexRows(from: number, to: number): Promise<IndexRow[]> {
    const rows = await this.rows<IndexColumns>(
      `SELECT tenant_id, leaf_index, (extract(epoch FROM at) * 1000)::float8, writer_id, writer_seq, action, outcome, actor,
         patient, connection, attempts, is_list FROM audit_log.events WHERE leaf_index >= $1 AND leaf_index < $2`,
      [from, to],
    )
    return rows.map(
      ([tenantId, index, at, writerId, seq, action, outcome, actor, patient, connection, attempts, isList]) => ({
        tenantId,
        index: Number(index),
        at: Number(at),
        writerId,
        seq: Number(seq),
        action,
        outcome,
        actor,
        patient,
        connection,
        attempts,
        isList,
      }),
    )
  }

  /** For each writer of the outbox: how many rows up to the last number that is logged, how many behind it, and the last one. */
  async countRows(logged: readonly (RowKey & { readonly last: number })[]): Promise<WriterCount[]> {
    const rows = await this.rows<[string, string, string, string, string]>(
      `SELECT o.tenant_id, o.writer_id, count(*) FILTER (WHERE o.writer_seq <= coalesce(l.last, 0)),
         count(*) FILTER (WHERE o.writer_seq > coalesce(l.last, 0)), max(o.writer_seq)
       FROM audit_outbox o LEFT JOIN unnest($1::uuid[], $2::uuid[], $3::bigint[]) AS l (tenant, writer, last)
         ON l.tenant = o.tenant_id AND l.writer = o.writer_id
       GROUP BY o.tenant_id, o.writer_id`,
      [logged.map((key) => key.tenantId), logged.map((key) => key.writerId), logged.map((key) => key.last)],
    )
    return rows.map(([tenantId, writerId, within, behind, last]) => ({
      tenantId,
      writerId,
      within: Number(within),
      behind: Number(behind),
      last: Number(last),
    }))
  }

  /** How far the index says that it is whole (`safeAt` in epoch milliseconds), and how many places there are. */
  async readIndexState(): Promise<{ nextIndex: number; safeAt: number; places: number } | undefined> {
    const rows = await this.rows<[string, string, string]>(
      `SELECT i.next_index, (extract(epoch FROM i.safe_at) * 1000)::float8,
         (SELECT coalesce(max(next_index), 0) FROM audit_log.runs) FROM audit_log.indexed i`,
      [],
    )
    return rows.map(([next, safe, places]) => ({
      nextIndex: Number(next),
      safeAt: Number(safe),
      places: Number(places),
    }))[0]
  }

  /** When the earliest event happened that has a place and is not in the index, in epoch milliseconds; null: there is none. */
  async readFirstUnindexed(nextIndex: number): Promise<number | null> {
    const [row] = await this.rows<[string | null]>(
      `SELECT (extract(epoch FROM min(x.at)) * 1000)::float8 FROM audit_log.runs r
       JOIN audit_outbox x ON x.tenant_id = r.tenant_id AND x.writer_id = r.writer_id
         AND x.writer_seq >= r.first_seq AND x.writer_seq < r.first_seq + r.count
       WHERE r.first_index >= $1 AND r.own IS NULL`,
      [nextIndex],
    )
    const at = row?.[0] ?? null
    return at === null ? null : Number(at)
  }

  /** Rows of the index below a place. */
  async countIndexRows(below: number): Promise<number> {
    const [row] = await this.rows<[string]>('SELECT count(*) FROM audit_log.events WHERE leaf_index < $1', [below])
    return Number(row?.[0])
  }

  /** Hours, and days, whose count is not that of the rows of the index. */
  async countWrongSums(unit: 'hour' | 'day'): Promise<number> {
    const [row] = await this.rows<[string]>(
      `SELECT count(*) FROM (
         SELECT tenant_id, date_trunc('${unit}', at) AS ${unit}, action, outcome, count(*) AS found
         FROM audit_log.events GROUP BY 1, 2, 3, 4) e
       FULL JOIN audit_log.${unit}s h USING (tenant_id, ${unit}, action, outcome) WHERE e.found IS DISTINCT FROM h.count`,
      [],
    )
    return Number(row?.[0])
  }
}

type IndexColumns = [
  string,
  string,
  string,
  string,
  string,
  string,
  string,
  string | null,
  string | null,
  string | null,
  number,
  boolean,
]
