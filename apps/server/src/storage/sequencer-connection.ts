import pg from 'pg'

/** 'wlog' in ASCII: of all that would write the audit log of this database, the one that holds this lock does. */
const LEADER_LOCK = 0x776c6f67
const CONNECT_MS = 5_000
const STATEMENT_MS = 60_000
/** Every plan by its index, also while the tables are still small. */
const OPTIONS = '-c TimeZone=UTC -c enable_seqscan=off -c enable_bitmapscan=off -c jit=off'

/**
 * One connection, as the sequencer's own role, which also holds the lock of the leader. So whoever loses the connection has lost the
 * lead, and cannot give out another place.
 */
export class SequencerConnection {
  readonly #client: pg.Client
  /** Of the prepared statements, by their text: there are as many as the classes made of this one have. */
  readonly #names = new Map<string, string>()

  constructor(client: pg.Client) {
    this.#client = client
  }

  /** @param onLost told when the connection breaks */
  static async connect<T>(
    this: new (
      client: pg.Client,
    ) => T,
    url: string,
    onLost: (error: unknown) => void = () => undefined,
  ): Promise<T> {
    const client = new pg.Client({
      connectionString: url,
      application_name: 'wardline sequencer',
      connectionTimeoutMillis: CONNECT_MS,
      statement_timeout: STATEMENT_MS,
      keepAlive: true,
      options: OPTIONS,
    })
    client.on('error', onLost)
    await client.connect()
    return new this(client)
  }

  async close(): Promise<void> {
    await this.#client.end().catch(() => undefined)
  }

  /** True while no other leads; held until the connection ends. */
  async tryLead(): Promise<boolean> {
    const [row] = await this.rows<[boolean]>('SELECT pg_try_advisory_lock($1)', [LEADER_LOCK])
    return row?.[0] === true
  }

  /** One statement; its rows as arrays. All are prepared: read and planned anew in every look, they would cost more than they do. */
  protected async rows<R extends unknown[]>(text: string, values: unknown[]): Promise<R[]> {
    const name = this.#names.get(text) ?? `wardline_log_${this.#names.size}`
    this.#names.set(text, name)
    return (await this.#client.query<R>({ name, text, values, rowMode: 'array' })).rows
  }
}
