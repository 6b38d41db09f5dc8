import { byteaArray, int8Array, textArray, timestamptzArray, uuidArray } from './binary-parameters.ts'
import { OutboxReader } from './outbox-reader.ts'
import type { IndexRow, OpenGap, Run, StoredHead } from './sequencer-rows.ts'

/** What becomes of gaps together with places. */
export type GapChange = { readonly opened: readonly OpenGap[]; readonly settled: readonly OpenGap[] }

const NO_GAPS: GapChange = { opened: [], settled: [] }

/** What the sequencer asks of the database. */
export class SequencerStore extends OutboxReader {
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
           (tenant_id, leaf_index, at, writer_id, writer_seq, action, outcome, actor, patient, connection,
            attempts, is_list)
         SELECT t, i, a, w, s, ac, o, p, pa, c, n, l
         FROM unnest($1::uuid[], $2::bigint[], $3::timestamptz[], $4::uuid[], $5::bigint[], $6::text[], $7::text[],
           $8::uuid[], $9::uuid[], $10::uuid[], $15::int8[], $16::bool[]) AS x (t, i, a, w, s, ac, o, p, pa, c, n, l)
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
        int8Array(rows.map((row) => row.attempts)),
        rows.map((row) => row.isList),
      ],
    )
  }
}
