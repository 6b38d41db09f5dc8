import { expect } from 'vitest'
import type { TestDatabase } from './database.ts'

/** Until somebody waits for a lock of this kind in the database: `transactionid` for a row, or `advisory`. */
export async function lockAwaited(database: Pick<TestDatabase, 'query' | 'name'>, kind: 'transactionid' | 'advisory') {
  const text = `SELECT 1 FROM pg_locks l JOIN pg_stat_activity a USING (pid)
    WHERE a.datname = $1 AND l.locktype = $2 AND NOT l.granted`
  await expect.poll(async () => (await database.query(text, [database.name, kind])).length).toBeGreaterThan(0)
}
