import type { Database } from '../storage/open.ts'
import type { Change } from '../storage/transaction.ts'

/** Records stored in one transaction: a hospital's worth of them costs a fiftieth of the commits, and none waits long. */
const BATCH = 50

/**
 * Stores records, so many in one transaction, each with its audit event; `done` is told of each once its transaction is
 * committed. A run that is broken off can simply be run again: what is there is known again.
 */
export async function inBatches<T, R>(
  database: Pick<Database, 'withTenant'>,
  tenantId: string,
  items: readonly T[],
  store: (tx: Change, item: T) => Promise<R>,
  done: (item: T, result: R, count: number) => void,
): Promise<void> {
  for (let from = 0; from < items.length; from += BATCH) {
    const batch = items.slice(from, from + BATCH)
    const stored = await database.withTenant(tenantId, async (tx) => {
      const results: { item: T; result: R }[] = []
      for (const item of batch) results.push({ item, result: await store(tx, item) })
      return results
    })
    for (const [index, { item, result }] of stored.entries()) done(item, result, from + index + 1)
  }
}
