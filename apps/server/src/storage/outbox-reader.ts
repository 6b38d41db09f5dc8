import { bytesOfText } from './bytea-text.ts'
import { SequencerConnection } from './sequencer-connection.ts'
import type { OpenGap, PendingRow, Run, RunRows, WriterProgress, WriterRows } from './sequencer-rows.ts'

/** A writer that has been silent for longer is looked at by the sweep alone. */
const ASLEEP = '1 day'
/** How old what is new may be, by its own time, without being looked for in every part of the outbox. */
const RECENT = '35 days'

/** What the sequencer reads of the events that writers have left in the outbox. */
export class OutboxReader extends SequencerConnection {
  /** The outbox rows of each of these runs, in its order; rows that are not there are left out. `recent`: see `readPending`. */
  async readRows(runs: readonly Run[], recent = false): Promise<RunRows[]> {
    const rows = await this.rows<NumberedRow>(
      `SELECT r.n, o.writer_seq, o.at, o.event
       FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]) WITH ORDINALITY AS r (tenant, writer, first, count, n)
       CROSS JOIN LATERAL (
         SELECT x.writer_seq, round(date_part('epoch', x.at) * 1000) AS at, encode(x.event, 'escape') AS event
         FROM audit_outbox x WHERE x.tenant_id = r.tenant AND x.writer_id = r.writer
           AND x.writer_seq >= r.first AND x.writer_seq < r.first + r.count
           ${recent ? `AND x.at > now() - interval '${RECENT}'` : ''} ORDER BY x.writer_seq) o
       ORDER BY r.n, o.writer_seq`,
      [
        runs.map((run) => run.tenantId),
        runs.map((run) => run.writerId),
        runs.map((run) => run.firstSeq),
        runs.map((run) => run.count),
      ],
    )
    return rowsByNumber(runs, rows).map(({ of: run, rows }) => ({ run, rows }))
  }

  /**
   * The rows that have no place yet, of these writers, each in its order. One statement, so one snapshot: whoever sees a row sees
   * every earlier one of its writer, for a writer is one transaction at a time. Nothing depends on times or on the order in which
   * different writers commit.
   *
   * `recent`: only rows of the last weeks, which the parts of the months before need not be looked through for. A row with an older time
   * is passed over then, which looks like a gap: ask again without.
   */
  async readPending(
    writers: readonly WriterProgress[],
    perWriter: number,
    limit: number,
    recent: boolean,
  ): Promise<WriterRows[]> {
    if (writers.length === 0) return []
    // The number of the writer among those asked for, and not its two names in every row; date_part, for extract counts in numeric.
    const rows = await this.rows<NumberedRow>(
      `SELECT w.n, o.writer_seq, o.at, o.event
       FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) WITH ORDINALITY AS w (tenant, writer, done, n)
       CROSS JOIN LATERAL (
         SELECT x.writer_seq, round(date_part('epoch', x.at) * 1000) AS at, encode(x.event, 'escape') AS event
         FROM audit_outbox x WHERE x.tenant_id = w.tenant AND x.writer_id = w.writer AND x.writer_seq > w.done
           ${recent ? `AND x.at > now() - interval '${RECENT}'` : ''}
         ORDER BY x.writer_seq LIMIT $4) o
       LIMIT $5`,
      [writers.map((w) => w.tenantId), writers.map((w) => w.writerId), writers.map((w) => w.done), perWriter, limit],
    )
    return rowsByNumber(writers, rows).flatMap(({ of: writer, rows }) => (rows.length === 0 ? [] : { writer, rows }))
  }

  /** Writers that began within the last minutes: the quick look. Those it misses are the sweep's. */
  async newWriters(): Promise<WriterProgress[]> {
    const rows = await this.rows<[string, string]>(
      `SELECT tenant_id, writer_id FROM audit_outbox WHERE writer_seq = 1 AND at > now() - interval '2 minutes'`,
      [],
    )
    return rows.map(([tenantId, writerId]) => ({ tenantId, writerId, done: 0 }))
  }

  /**
   * The sweep: every writer there ever was, jumping from one to the next in the primary key, and how far it has its places. Gives
   * those that have rows without a place, or were awake of late.
   */
  async sweepWriters(): Promise<WriterProgress[]> {
    const rows = await this.rows<[string, string, string]>(
      `WITH RECURSIVE writers AS (
         (SELECT tenant_id, writer_id FROM audit_outbox ORDER BY tenant_id, writer_id LIMIT 1)
         UNION ALL
         SELECT n.tenant_id, n.writer_id FROM writers w CROSS JOIN LATERAL (
           SELECT o.tenant_id, o.writer_id FROM audit_outbox o
           WHERE (o.tenant_id, o.writer_id) > (w.tenant_id, w.writer_id)
           ORDER BY o.tenant_id, o.writer_id LIMIT 1) n
       )
       SELECT w.tenant_id, w.writer_id, coalesce(r.done, 0)
       FROM writers w
       CROSS JOIN LATERAL (
         SELECT o.writer_seq, o.at FROM audit_outbox o WHERE o.tenant_id = w.tenant_id AND o.writer_id = w.writer_id
         ORDER BY o.writer_seq DESC LIMIT 1) l
       LEFT JOIN LATERAL (
         SELECT x.first_seq + x.count - 1 AS done FROM audit_log.runs x
         WHERE x.tenant_id = w.tenant_id AND x.writer_id = w.writer_id AND x.own IS NULL
         ORDER BY x.first_seq DESC LIMIT 1) r ON true
       WHERE l.writer_seq > coalesce(r.done, 0) OR l.at > now() - interval '${ASLEEP}'`,
      [],
    )
    return rows.map(([tenantId, writerId, done]) => ({ tenantId, writerId, done: Number(done) }))
  }

  /** The rows that are there of a gap after all, in their order. */
  async readWithin({ tenantId, writerId, first, last }: OpenGap, limit: number): Promise<PendingRow[]> {
    const rows = await this.rows<RawRow>(
      `SELECT tenant_id, writer_id, writer_seq, (extract(epoch FROM at) * 1000)::float8, encode(x.event, 'escape') FROM audit_outbox x
       WHERE tenant_id = $1 AND writer_id = $2 AND writer_seq >= $3 AND writer_seq <= $4 ORDER BY writer_seq LIMIT $5`,
      [tenantId, writerId, first, last, limit],
    )
    return rows.map(rowOf)
  }
}

/** Columns of an outbox row, as statements here select them; its bytes as {@link bytesOfText} reads them. */
export type RawRow = [string, string, string, string, string]

export function rowOf([tenantId, writerId, seq, at, event]: RawRow): PendingRow {
  return { tenantId, writerId, seq: Number(seq), at: Number(at), event: bytesOfText(event) }
}

/** The same, with the number (from 1 on) of what was asked for instead of its two names: there are thousands of rows. */
type NumberedRow = [string, string, string, string]

function rowsByNumber<T extends { readonly tenantId: string; readonly writerId: string }>(
  asked: readonly T[],
  rows: readonly NumberedRow[],
): { of: T; rows: PendingRow[] }[] {
  const found = asked.map((of) => ({ of, rows: [] as PendingRow[] }))
  for (const [n, seq, at, event] of rows) {
    const one = found[Number(n) - 1]
    if (one === undefined) continue
    const { tenantId, writerId } = one.of
    one.rows.push({ tenantId, writerId, seq: Number(seq), at: Number(at), event: bytesOfText(event) })
  }
  return found
}
