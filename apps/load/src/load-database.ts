import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import pg from 'pg'
import { quantile } from './statistics.ts'
import type { Latency } from './workload.ts'

/** How often the log's head is looked at, in milliseconds: a delay is told too long by so much at most. */
const LOOK_MS = 50

/** The statement of `wardline_commit` that writes the audit rows of posts. */
const AUDITED = /,\s*audited AS \(\s*INSERT INTO audit_outbox[\s\S]*?WHERE p\.accepted\s*\)/g

/** The owner's connection to the database of a server under load, in whose data folder the address is. */
export class LoadDatabase {
  readonly #client: pg.Client

  private constructor(client: pg.Client) {
    this.#client = client
  }

  static async connect(dataDir: string): Promise<LoadDatabase> {
    const { url } = JSON.parse(readFileSync(join(dataDir, 'postgres.json'), 'utf8')) as { url: string }
    const client = new pg.Client({ connectionString: url, application_name: 'wardline load' })
    await client.connect()
    return new LoadDatabase(client)
  }

  close(): Promise<void> {
    return this.#client.end()
  }

  /** From here on posts leave no audit row: what Wardline would be without law 3, to see what that costs. No product has this switch. */
  async stopAuditing(): Promise<void> {
    const { rows } = await this.#client.query<{ text: string }>(
      `SELECT pg_get_functiondef('wardline_commit'::regproc) AS text`,
    )
    const text = rows[0]?.text ?? ''
    if (text.match(AUDITED)?.length !== 1) throw new Error('wardline_commit writes its audit rows in another way now')
    await this.#client.query(text.replace(AUDITED, ''))
  }

  /** Resolves when the index of the log has come to its end, or after `withinMs`: what it left for later is done by then. */
  async indexed(withinMs: number): Promise<void> {
    for (const until = performance.now() + withinMs; performance.now() < until; ) {
      const { rows } = await this.#client.query<{ behind: string }>(
        `SELECT coalesce((SELECT max(next_index) FROM audit_log.runs), 0)
           - coalesce((SELECT next_index FROM audit_log.indexed), 0) AS behind`,
      )
      if (Number(rows[0]?.behind) === 0) return
      await new Promise((resolve) => setTimeout(resolve, 10 * LOOK_MS))
    }
  }

  /**
   * Watches how far the log is signed until `stop`, which says how long after it happened each event of that time was under a
   * checkpoint (milliseconds), and of how many events that is.
   */
  watchMerging(): { stop(): Promise<{ events: number; delay: Latency }> } {
    const looks: { at: number; size: number }[] = []
    let isOver = false
    const watching = (async () => {
      while (!isOver) {
        const { rows } = await this.#client.query<{ size: string }>('SELECT size FROM audit_log.head')
        looks.push({ at: Date.now(), size: Number(rows[0]?.size ?? 0) })
        await new Promise((resolve) => setTimeout(resolve, LOOK_MS))
      }
    })()
    return {
      stop: async () => {
        isOver = true
        await watching
        return this.#delays(looks)
      },
    }
  }

  async #delays(looks: readonly { at: number; size: number }[]): Promise<{ events: number; delay: Latency }> {
    const [first, last] = [looks[0]?.size ?? 0, looks.at(-1)?.size ?? 0]
    const { rows } = await this.#client.query<{ place: string; at: string }>(
      `SELECT r.first_index + o.writer_seq - r.first_seq AS place, (extract(epoch FROM o.at) * 1000)::bigint AS at
       FROM audit_log.runs r JOIN audit_outbox o ON o.tenant_id = r.tenant_id AND o.writer_id = r.writer_id
         AND o.writer_seq >= r.first_seq AND o.writer_seq < r.first_seq + r.count
       WHERE r.next_index > $1 AND r.first_index < $2 AND r.own IS NULL ORDER BY 1`,
      [first, last],
    )
    const delays: number[] = []
    let look = 0
    for (const { place, at } of rows) {
      if (Number(place) < first || Number(place) >= last) continue
      while ((looks[look]?.size ?? Number.POSITIVE_INFINITY) <= Number(place)) look += 1
      delays.push((looks[look]?.at ?? 0) - Number(at))
    }
    const delay = { p50: quantile(delays, 0.5), p95: quantile(delays, 0.95), p99: quantile(delays, 0.99) }
    return { events: delays.length, delay }
  }
}
