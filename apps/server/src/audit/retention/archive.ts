import { checkpointFrom, copyLog, type ReadableStore, type TileStore } from '@wardline/transparency-log'
import type { AuditRetentionStore } from '../../storage/audit-retention.ts'
import type { Database } from '../../storage/open.ts'
import { bySystem } from '../by.ts'

/** It cannot be done, or not yet. The message says why, for the operator. */
export class RetentionRefused extends Error {}

export type ArchiveOptions = {
  readonly store: AuditRetentionStore
  readonly database: Pick<Database, 'auditOnly'>
  readonly log: ReadableStore
  /** Empty, or one that was begun before: then what is there must be the same. */
  readonly archive: TileStore
  /** Epoch milliseconds. */
  readonly before: number
  /** Entries below are archived already, and pruned. */
  readonly from: number
}

/** Entries of an archive, from `from` up to, not including, `size`. */
export type Archived = { readonly from: number; readonly size: number }

/**
 * Copies the log as it was at its first checkpoint that covers every event before a time: a log of its own, with every entry that is not
 * in an earlier archive, and the hashes of all. That it was done is in the log. @throws RetentionRefused
 */
export async function archiveAudit({ store, database, log, archive, before, from }: ArchiveOptions): Promise<Archived> {
  if ((await store.indexedUntil()) < before) {
    throw new RetentionRefused('not every event before that time has its place in the log yet: let the sequencer run.')
  }
  const { end } = await store.placesAround(before)
  if (end <= from) throw new RetentionRefused('there is nothing before that time that is not archived already.')
  const note = await checkpointFrom(log, end)
  if (note === undefined) throw new RetentionRefused('no checkpoint covers every event before that time yet.')
  const size = await copyLog(log, archive, { note, from })
  const count = size - from
  await database.auditOnly(null, { ...bySystem, action: 'audit.archive', outcome: 'allowed', count, seq: from })
  return { from, size }
}
