import { byteaArray, int8Array, textArray, timestamptzArray, uuidArray } from './binary-parameters.ts'
import { SequencerConnection } from './sequencer-connection.ts'
import type { IndexRow, OpenGap, PendingRow, Run, StoredHead, WriterProgress } from './sequencer-rows.ts'

/** A writer that has been silent for longer is looked at by the sweep alone. */
const ASLEEP = '1 day'
/** How old what is new may be, by its own time, without being looked for in every part of the outbox. */
const RECENT = '35 days'

/** What becomes of gaps together with places. */
export type GapChange = { readonly opened: readonly OpenGap[]; readonly settled: readonly OpenGap[] }

const NO_GAPS: GapChange = { opened: [], settled: [] }

/** What the sequencer asks of the database. */
export class SequencerStore extends SequencerConnection {
  async installationId(): Promise<string> {
    const [row] = await this.rows<[string]>('SELECT id FROM installation', [])
    if (row === undefined) throw new Error('the database has no installation row')
    return row[0]
  }

  async readHead(): Promise<StoredHead | undefined> {
    const rows = await this.rows<[string, Buffer, Buffer, string]>(
      'SELECT size, root, note, vkey FROM audit_log.head',
      [],
    )
    return rows.map(([size, root, note, vkey]) => ({ size: Number(size), root, note, vkey }))[0]
  }

  async saveHead({ size, root, note, vkey }: StoredHead): Promise<void> {
    await this.rows(
      `INSERT INTO audit_log.head (size, root, note, vkey) VALUES ($1, $2, $3, $4)
       ON CONFLICT (one) DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note,
         vkey = excluded.vkey`,
      [size, root, note, vkey],
    )
  }

  /** How many places are given out. */
  async readEnd(): Promise<number> {
    const [row] = await this.rows<[string]>(
      'SELECT next_index FROM audit_log.runs ORDER BY next_index DESC LIMIT 1',
      [],
    )
    return Number(row?.[0] ?? 0)
  }

  /** The runs that hold places from `index` on, in order. */
  async readRuns(index: number, limit: number): Promise<Run[]> {
    const rows = await this.rows<[string, number, string, string, string, Buffer | null]>(
      `SELECT first_index, count, tenant_id, writer_id, first_seq, own FROM audit_log.runs
       WHERE next_index > $1 ORDER BY next_index LIMIT $2`,
      [index, limit],
    )
    return rows.map(([firstIndex, count, tenantId, writerId, firstSeq, own]) => ({
      firstIndex: Number(firstIndex),
      count,
      tenantId,
      writerId,
      firstSeq: Number(firstSeq),
      own,
    }))
  }

  /** The outbox rows of these runs, run by run in their order; rows that are not there are left out. `recent`: see `readPending`. */
  async readRows(runs: readonly Run[], recent = false): Promise<PendingRow[]> {
    const rows = await this.rows<RawRow>(
      `SELECT o.tenant_id, o.writer_id, o.writer_seq, o.at, o.event
       FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::bigint[]) WITH ORDINALITY AS r (tenant, writer, first, count, n)
       CROSS JOIN LATERAL (
         SELECT x.tenant_id, x.writer_id, x.writer_seq, (extract(epoch FROM x.at) * 1000)::float8 AS at, x.event
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
    return rows.map(rowOf)
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
  ): Promise<PendingRow[]> {
    if (writers.length === 0) return []
    // The number of the writer among those asked for, and not its two names in every row.
    const rows = await this.rows<[string, string, string, Buffer]>(
      `SELECT w.n, o.writer_seq, o.at, o.event
       FROM unnest($1::uuid[], $2::uuid[], $3::bigint[]) WITH ORDINALITY AS w (tenant, writer, done, n)
       CROSS JOIN LATERAL (
         SELECT x.writer_seq, (extract(epoch FROM x.at) * 1000)::float8 AS at, x.event
         FROM audit_outbox x WHERE x.tenant_id = w.tenant AND x.writer_id = w.writer AND x.writer_seq > w.done
           ${recent ? `AND x.at > now() - interval '${RECENT}'` : ''}
         ORDER BY x.writer_seq LIMIT $4) o
       LIMIT $5`,
      [writers.map((w) => w.tenantId), writers.map((w) => w.writerId), writers.map((w) => w.done), perWriter, limit],
    )
    return rows.map(([n, seq, at, event]) => {
      const { tenantId, writerId } = writers[Number(n) - 1] as WriterProgress
      return { tenantId, writerId, seq: Number(seq), at: Number(at), event }
    })
  }

  /** Writers that began within the last minutes: the quick look. Those it misses are the sweep's. */
  async newWriters(): Promise<WriterProgress[]> {
    const rows = await this.rows<[string, string]>(
      `SELECT tenant_id, writer_id FROM audit_outbox WHERE writer_seq = 1 AND at > now() - interval '2 minutes'`,
      [],
    )
    return rows.map(([tenantId, writerId]) => ({ tenantId, writerId, done: 0, lastAt: 0 }))
  }

  /**
   * The sweep: every writer there ever was, jumping from one to the next in the primary key, and how far it has its places. Gives
   * those that have rows without a place, or were awake of late.
   */
  async sweepWriters(): Promise<WriterProgress[]> {
    const rows = await this.rows<[string, string, string, string]>(
      `WITH RECURSIVE writers AS (
         (SELECT tenant_id, writer_id FROM audit_outbox ORDER BY tenant_id, writer_id LIMIT 1)
         UNION ALL
         SELECT n.tenant_id, n.writer_id FROM writers w CROSS JOIN LATERAL (
           SELECT o.tenant_id, o.writer_id FROM audit_outbox o
           WHERE (o.tenant_id, o.writer_id) > (w.tenant_id, w.writer_id)
           ORDER BY o.tenant_id, o.writer_id LIMIT 1) n
       )
       SELECT w.tenant_id, w.writer_id, coalesce(r.done, 0), (extract(epoch FROM l.at) * 1000)::float8
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
    return rows.map(([tenantId, writerId, done, lastAt]) => ({
      tenantId,
      writerId,
      done: Number(done),
      lastAt: Number(lastAt),
    }))
  }

  /** The parts of the outbox for the months to come. */
  async makeMonths(): Promise<void> {
    await this.rows('SELECT audit_log.make_months()', [])
  }

  /** The last number of the sequencer's own leaves. */
  async readOwnSeq(nil: string): Promise<number> {
    const [row] = await this.rows<[string]>(
      `SELECT first_seq FROM audit_log.runs WHERE tenant_id = $1 AND writer_id = $1 ORDER BY first_seq DESC LIMIT 1`,
      [nil],
    )
    return Number(row?.[0] ?? 0)
  }

  /**
   * Fixes these places for good, and with them which gaps are there from now on and which are not any more; all or none. On disk when it
   * resolves.
   */
  async assign(runs: readonly Run[], gaps: GapChange = NO_GAPS): Promise<void> {
    const { opened, settled } = gaps
    await this.rows(
      `WITH placed AS (
         INSERT INTO audit_log.runs (first_index, count, tenant_id, writer_id, first_seq, own)
         SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::uuid[], $4::uuid[], $5::bigint[], $6::bytea[])),
       settled AS (
         DELETE FROM audit_log.gaps g USING unnest($7::uuid[], $8::uuid[], $9::bigint[]) AS s (tenant, writer, first)
         WHERE g.tenant_id = s.tenant AND g.writer_id = s.writer AND g.first_seq = s.first)
       INSERT INTO audit_log.gaps (tenant_id, writer_id, first_seq, last_seq, seen_at)
       SELECT t, w, f, l, to_timestamp(a / 1000.0)
       FROM unnest($10::uuid[], $11::uuid[], $12::bigint[], $13::bigint[], $14::bigint[]) AS x (t, w, f, l, a)
       ON CONFLICT DO NOTHING`,
      [
        int8Array(runs.map((run) => run.firstIndex)),
        int8Array(runs.map((run) => run.count)),
        uuidArray(runs.map((run) => run.tenantId)),
        uuidArray(runs.map((run) => run.writerId)),
        int8Array(runs.map((run) => run.firstSeq)),
        byteaArray(runs.map((run) => run.own)),
        settled.map((gap) => gap.tenantId),
        settled.map((gap) => gap.writerId),
        settled.map((gap) => gap.first),
        opened.map((gap) => gap.tenantId),
        opened.map((gap) => gap.writerId),
        opened.map((gap) => gap.first),
        opened.map((gap) => gap.last),
        opened.map((gap) => gap.seenAt),
      ],
    )
  }

  /** The oldest gaps that were seen before a time (epoch milliseconds), and are not settled. */
  async readGaps(seenBefore: number, limit: number): Promise<OpenGap[]> {
    const rows = await this.rows<[string, string, string, string, string]>(
      `SELECT tenant_id, writer_id, first_seq, last_seq, (extract(epoch FROM seen_at) * 1000)::float8 FROM audit_log.gaps
       WHERE seen_at <= to_timestamp($1 / 1000.0) ORDER BY seen_at LIMIT $2`,
      [seenBefore, limit],
    )
    return rows.map(([tenantId, writerId, first, last, seenAt]) => ({
      tenantId,
      writerId,
      first: Number(first),
      last: Number(last),
      seenAt: Number(seenAt),
    }))
  }

  /** The rows that are there of a gap after all, in their order. */
  async readWithin({ tenantId, writerId, first, last }: OpenGap, limit: number): Promise<PendingRow[]> {
    const rows = await this.rows<RawRow>(
      `SELECT tenant_id, writer_id, writer_seq, (extract(epoch FROM at) * 1000)::float8, event FROM audit_outbox
       WHERE tenant_id = $1 AND writer_id = $2 AND writer_seq >= $3 AND writer_seq <= $4 ORDER BY writer_seq LIMIT $5`,
      [tenantId, writerId, first, last, limit],
    )
    return rows.map(rowOf)
  }

  /** Whether any number of a gap has a place: then it is none. */
  async isPlaced({ tenantId, writerId, first, last }: OpenGap): Promise<boolean> {
    const rows = await this.rows(
      `SELECT 1 FROM audit_log.runs WHERE tenant_id = $1 AND writer_id = $2 AND first_seq <= $4
         AND first_seq + count > $3 AND own IS NULL LIMIT 1`,
      [tenantId, writerId, first, last],
    )
    return rows.length > 0
  }

  async readIndexed(): Promise<number> {
    const [row] = await this.rows<[string]>('SELECT next_index FROM audit_log.indexed', [])
    return Number(row?.[0] ?? 0)
  }

  /**
   * Adds to the index and says how far it goes now. `safeAt`: up to when it is whole, in epoch milliseconds; 0 where that is no later than
   * before. A time later than `now` was said by a clock that was put back since: then it is whole up to `backTo`.
   */
  async index(
    rows: readonly IndexRow[],
    nextIndex: number,
    { safeAt, now, backTo }: { readonly safeAt: number; readonly now: number; readonly backTo: number },
  ): Promise<void> {
    await this.rows(
      `WITH added AS (
         INSERT INTO audit_log.events
           (tenant_id, leaf_index, at, writer_id, writer_seq, action, outcome, actor, patient, connection)
         SELECT t, i, a, w, s, ac, o, p, pa, c
         FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::uuid[], $5::bigint[], $6::text[], $7::text[],
           $8::uuid[], $9::uuid[], $10::uuid[]) AS x (t, i, a, w, s, ac, o, p, pa, c)
         ON CONFLICT DO NOTHING RETURNING tenant_id, at, action, outcome),
       counted AS (
         INSERT INTO audit_log.hours (tenant_id, hour, action, outcome, count)
         SELECT tenant_id, date_trunc('hour', at), action, outcome, count(*) FROM added GROUP BY 1, 2, 3, 4
         ON CONFLICT (tenant_id, hour, action, outcome) DO UPDATE SET count = audit_log.hours.count + excluded.count),
       summed AS (
         INSERT INTO audit_log.days (tenant_id, day, action, outcome, count)
         SELECT tenant_id, date_trunc('day', at), action, outcome, count(*) FROM added GROUP BY 1, 2, 3, 4
         ON CONFLICT (tenant_id, day, action, outcome) DO UPDATE SET count = audit_log.days.count + excluded.count)
       INSERT INTO audit_log.indexed (next_index, safe_at) VALUES ($11, to_timestamp($12 / 1000.0))
       ON CONFLICT (one) DO UPDATE SET next_index = excluded.next_index,
         safe_at = CASE WHEN audit_log.indexed.safe_at > to_timestamp($13 / 1000.0) THEN to_timestamp($14 / 1000.0)
           ELSE greatest(audit_log.indexed.safe_at, excluded.safe_at) END`,
      [
        uuidArray(rows.map((row) => row.tenantId)),
        int8Array(rows.map((row) => row.index)),
        timestamptzArray(rows.map((row) => row.at)),
        uuidArray(rows.map((row) => row.writerId)),
        int8Array(rows.map((row) => row.seq)),
        textArray(rows.map((row) => row.action)),
        textArray(rows.map((row) => row.outcome)),
        uuidArray(rows.map((row) => row.actor)),
        uuidArray(rows.map((row) => row.patient)),
        uuidArray(rows.map((row) => row.connection)),
        nextIndex,
        safeAt,
        now,
        backTo,
      ],
    )
  }
}

/** Columns of an outbox row, as statements here select them. */
export type RawRow = [string, string, string, string, Buffer]

export function rowOf([tenantId, writerId, seq, at, event]: RawRow): PendingRow {
  return { tenantId, writerId, seq: Number(seq), at: Number(at), event }
}
