import pg from 'pg'
import { isUnavailable, StorageUnavailable, sqlState } from './errors.ts'

/** Times as Prisma reads them; and locks that see what others committed while one waited for them, as the commit needs. */
const OPTIONS = String.raw`-c TimeZone=UTC -c default_transaction_isolation=read\ committed`

export type ConnectionLimits = {
  readonly connectMs: number
  /** The server gives up on one statement after this, and the client a little later. */
  readonly statementMs: number
}

/** What every connection of the server is told, whatever the database's own settings are. */
export function connectionConfig(url: string, name: string, limits: ConnectionLimits): pg.ClientConfig {
  return {
    connectionString: url,
    application_name: `wardline ${name}`,
    connectionTimeoutMillis: limits.connectMs,
    statement_timeout: limits.statementMs,
    query_timeout: limits.statementMs + 2_000,
    idle_in_transaction_session_timeout: limits.statementMs * 2,
    options: OPTIONS,
    keepAlive: true,
  }
}

/** The session itself was ended (by a timeout, an operator, a crash), perhaps between the commit and its answer. */
const SESSION_ENDED = /^(57P|08|25P0[34]|XX)/

/** PostgreSQL said no: nothing was changed and the connection lives. By code, because severity is in the server's language. */
function rolledBack(error: unknown): boolean {
  const state = sqlState(error)
  return state !== undefined && !SESSION_ENDED.test(state)
}

/** Nobody knows whether the statement was committed: the connection broke, or nothing was heard in time. */
export class OutcomeUnknown extends StorageUnavailable {
  constructor(cause: unknown) {
    super('the database did not answer', { cause })
    this.name = 'OutcomeUnknown'
  }
}

/**
 * One connection, used for one statement at a time and opened when it is first needed and again after it broke. Its errors
 * are told apart: PostgreSQL said no and nothing was changed (its own error, or `StorageUnavailable` where that may pass),
 * or `OutcomeUnknown`.
 */
export class Connection {
  readonly #config: pg.ClientConfig
  #client: pg.Client | undefined

  constructor(config: pg.ClientConfig) {
    this.#config = config
  }

  async query<R extends pg.QueryResultRow | unknown[]>(query: pg.QueryConfig & { rowMode?: 'array' }): Promise<R[]> {
    const client = this.#client ?? (await this.#open())
    try {
      const { rows } = await client.query(query)
      return rows as R[]
    } catch (error) {
      if (rolledBack(error)) {
        throw isUnavailable(error) ? new StorageUnavailable('the database refused for now', { cause: error }) : error
      }
      this.#drop(client)
      throw new OutcomeUnknown(error)
    }
  }

  async close(): Promise<void> {
    const client = this.#client
    this.#client = undefined
    await client?.end().catch(() => undefined)
  }

  async #open(): Promise<pg.Client> {
    const client = new pg.Client(this.#config)
    client.on('error', () => this.#drop(client))
    try {
      await client.connect()
    } catch (error) {
      throw new StorageUnavailable('the database cannot be reached', { cause: error })
    }
    this.#client = client
    return client
  }

  #drop(client: pg.Client): void {
    if (this.#client === client) this.#client = undefined
    client.end().catch(() => undefined)
  }
}
