import pg from 'pg'

const CONNECT_MS = 5_000
/** Taking a month away wants a lock that all writing waits for: it is had at once, or not today. */
const LOCK_MS = 3_000

/** A month of the audit as it lies in the database: from the end of the one before it, up to, not including, `until` (epoch ms). */
export type AuditMonth = { readonly name: string; readonly until: number }

/** Why a month is kept. `years`: the retention that a tenant set for itself. */
export type KeptFor =
  | { readonly why: 'retention'; readonly tenant: string; readonly years: number }
  | { readonly why: 'hold'; readonly tenant: string; readonly patient: string | null }

/** What archiving and purging ask of the database, as the owner of its tables: nobody else may take a row away. */
export class AuditRetentionStore {
  readonly #client: pg.Client

  private constructor(client: pg.Client) {
    this.#client = client
  }

  static async connect(ownerUrl: string): Promise<AuditRetentionStore> {
    const client = new pg.Client({
      connectionString: ownerUrl,
      application_name: 'wardline retention',
      connectionTimeoutMillis: CONNECT_MS,
      options: `-c TimeZone=UTC -c lock_timeout=${LOCK_MS}`,
    })
    await client.connect()
    return new AuditRetentionStore(client)
  }

  async close(): Promise<void> {
    await this.#client.end()
  }

  /** The months that end at or before a time, the oldest first. What lies in the part for all other times is none. */
  async months(until: number): Promise<AuditMonth[]> {
    const rows = await this.#rows<{ name: string; until: string }>(
      `SELECT substr(c.relname, 8) AS name, extract(epoch FROM b.until) * 1000 AS until
       FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid,
         LATERAL (SELECT substring(pg_get_expr(c.relpartbound, c.oid) FROM 'TO \\(''([^'']+)''\\)')::timestamptz AS until) b
       WHERE i.inhparent = 'public.audit_outbox'::regclass AND b.until <= $1 ORDER BY b.until`,
      [new Date(until)],
    )
    return rows.map((row) => ({ name: row.name, until: Number(row.until) }))
  }

  /** Every event before this time has its place in the log and is in the index. Epoch milliseconds; 0: nothing is. */
  async indexedUntil(): Promise<number> {
    const [row] = await this.#rows<{ at: string }>(
      'SELECT extract(epoch FROM safe_at) * 1000 AS at FROM audit_log.indexed',
    )
    return Number(row?.at ?? 0)
  }

  /** Why something of this month must be kept; null: nothing must. @param now epoch milliseconds */
  async keptFor({ name, until }: AuditMonth, now: number): Promise<KeptFor | null> {
    const part = `audit_parts.${quoted(`events_${name}`)}`
    const [retained] = await this.#rows<{ tenant: string; years: number }>(
      `SELECT t.tenant_id AS tenant, coalesce(p.retention_years, 6) AS years
       FROM (SELECT DISTINCT tenant_id FROM ${part}) t LEFT JOIN audit_policies p ON p.tenant_id = t.tenant_id
       WHERE $1::timestamptz > $2::timestamptz - make_interval(years => coalesce(p.retention_years, 6)) ORDER BY 2 DESC LIMIT 1`,
      [new Date(until), new Date(now)],
    )
    if (retained !== undefined) return { why: 'retention', ...retained }
    const [held] = await this.#rows<{ tenant: string; patient: string | null }>(
      `SELECT h.tenant_id AS tenant, h.patient_id AS patient FROM audit_holds h
       WHERE h.released_at IS NULL AND EXISTS (
         SELECT FROM ${part} e WHERE e.tenant_id = h.tenant_id AND (h.patient_id IS NULL OR e.patient = h.patient_id)) LIMIT 1`,
    )
    return held === undefined ? null : { why: 'hold', ...held }
  }

  /** Places in the log: one more than the last of the events before a time, and the first of those from then on. */
  async placesAround(at: number): Promise<{ readonly end: number; readonly next: number; readonly count: number }> {
    const [row] = await this.#rows<{ end: string; count: string; next: string | null }>(
      `SELECT coalesce(max(leaf_index) + 1, 0) AS end, count(*) AS count,
         (SELECT min(n.leaf_index) FROM (SELECT DISTINCT tenant_id FROM audit_log.hours WHERE hour >= date_trunc('hour', $1::timestamptz)) t
          CROSS JOIN LATERAL (SELECT e.leaf_index FROM audit_log.events e WHERE e.tenant_id = t.tenant_id AND e.at >= $1
            ORDER BY e.leaf_index LIMIT 1) n) AS next
       FROM audit_log.events WHERE at < $1`,
      [new Date(at)],
    )
    const end = Number(row?.end ?? 0)
    return { end, next: Number(row?.next ?? end), count: Number(row?.count ?? 0) }
  }

  /** Takes these months away for good, all or none, with what was counted of them. Throws where a lock is not to be had at once. */
  async drop(months: readonly AuditMonth[]): Promise<void> {
    const last = months.at(-1)
    if (last === undefined) return
    await this.#client.query('BEGIN')
    try {
      for (const { name } of months) {
        for (const [table, part] of [
          ['public.audit_outbox', `outbox_${name}`],
          ['audit_log.events', `events_${name}`],
        ] as const) {
          await this.#client.query(`ALTER TABLE ${table} DETACH PARTITION audit_parts.${quoted(part)}`)
          await this.#client.query(`DROP TABLE audit_parts.${quoted(part)}`)
        }
      }
      await this.#client.query('DELETE FROM audit_log.hours WHERE hour < $1', [new Date(last.until)])
      await this.#client.query('DELETE FROM audit_log.days WHERE day < $1', [new Date(last.until)])
      await this.#client.query('COMMIT')
    } catch (error) {
      await this.#client.query('ROLLBACK')
      throw error
    }
  }

  async #rows<R extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<R[]> {
    return (await this.#client.query<R>(text, values)).rows
  }
}

function quoted(name: string): string {
  return pg.escapeIdentifier(name)
}
