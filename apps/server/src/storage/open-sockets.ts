import type pg from 'pg'
import { StorageUnavailable } from './errors.ts'

/** A signed-in socket. Times are epoch milliseconds. */
export type OpenSocketRow = {
  readonly id: string
  readonly user: string
  readonly session: string
  /** The thumbprint of the key that it was opened with. */
  readonly device: string
  readonly address: string
  readonly openedAt: number
}

export type SocketNews = {
  readonly node: string
  readonly at: number
  /** Nodes that have said nothing since then are forgotten. */
  readonly silentBefore: number
  readonly opened: readonly OpenSocketRow[]
  /** Their ids. */
  readonly closed: readonly string[]
}

/** What nodes write of their open sockets. No change that an audit would be about: each opening and close is an event of its own. */
export type OpenSockets = {
  /** False: the node had been forgotten, and all that it said before. @throws StorageUnavailable */
  noteSockets(tenantId: string, news: SocketNews): Promise<boolean>
  /** @throws StorageUnavailable */
  forgetNode(tenantId: string, node: string): Promise<void>
}

export function openSocketsIn(pool: pg.Pool): OpenSockets {
  const time = (ms: number) => new Date(ms).toISOString()

  async function query<R extends pg.QueryResultRow>(name: string, text: string, values: unknown[]): Promise<R[]> {
    try {
      return (await pool.query<R>({ name: `wardline_${name}`, text, values })).rows
    } catch (error) {
      throw new StorageUnavailable('the database is away', { cause: error })
    }
  }

  return {
    async noteSockets(tenantId, { node, at, silentBefore, opened, closed }) {
      const rows = opened.map(({ id, user, session, device, address, openedAt }) => ({
        id,
        user_id: user,
        session_id: session,
        device,
        address,
        opened_at: time(openedAt),
      }))
      const values = [tenantId, node, time(at), time(silentBefore), JSON.stringify(rows), closed]
      const text = 'SELECT wardline_note_sockets($1,$2,$3,$4,$5,$6) AS known'
      const [row] = await query<{ known: boolean }>('note_sockets', text, values)
      return row?.known === true
    },
    async forgetNode(tenantId, node) {
      await query('forget_node', 'SELECT wardline_forget_node($1,$2)', [tenantId, node])
    },
  }
}
