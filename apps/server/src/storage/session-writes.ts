import type pg from 'pg'
import { StorageUnavailable } from './errors.ts'

/** When the person of a session was last active, in epoch milliseconds. */
export type SeenActive = { readonly session: string; readonly at: number }

export type SessionWrites = {
  /**
   * Writes down when people were last active, in one round trip; never back in time, and not of a session that is locked or has
   * ended. No change that an audit would be about. @throws StorageUnavailable
   */
  touchSessions(tenantId: string, seen: readonly SeenActive[]): Promise<void>
  /** The same of one session whose person had been warned. Gives the user's new version, by which every node hears of it. */
  extendSession(tenantId: string, user: string, seen: SeenActive): Promise<number>
  /** Forgets what sessions, half sign-ins and revoked tokens that ended before then have left behind. @param before epoch milliseconds */
  forgetPast(tenantId: string, before: number): Promise<void>
}

export function sessionWritesTo(pool: pg.Pool): SessionWrites {
  async function query<R extends pg.QueryResultRow>(name: string, text: string, values: unknown[]): Promise<R[]> {
    try {
      const { rows } = await pool.query<R>({ name: `wardline_${name}`, text, values })
      return rows
    } catch (error) {
      throw new StorageUnavailable('the database is away', { cause: error })
    }
  }

  return {
    async touchSessions(tenantId, seen) {
      const sorted = seen.toSorted((a, b) => (a.session < b.session ? -1 : 1))
      const sessions = sorted.map(({ session }) => session)
      const times = sorted.map(({ at }) => new Date(at).toISOString())
      await query('touch', 'SELECT wardline_touch_sessions($1,$2,$3)', [tenantId, sessions, times])
    },
    async extendSession(tenantId, user, { session, at }) {
      const values = [tenantId, user, session, new Date(at).toISOString()]
      const text = 'SELECT wardline_extend_session($1,$2,$3,$4) AS version'
      const [row] = await query<{ version: number }>('extend', text, values)
      return row?.version ?? 0
    },
    async forgetPast(tenantId, before) {
      await query('forget_past', 'SELECT wardline_forget_past($1,$2)', [tenantId, new Date(before).toISOString()])
    },
  }
}
