import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import {
  type NoteSigner,
  type NoteVerifier,
  type Pruned,
  parseNote,
  type ReadableStore,
  readPruned,
  TILE_WIDTH,
  type TileStore,
  tileNodeReader,
  tilePath,
  treeRoot,
  verifyLog,
  writePruned,
} from '@wardline/transparency-log'
import { directoryStore } from '@wardline/transparency-log/directory-store'
import type { AuditMonth, AuditRetentionStore, KeptFor } from '../../storage/audit-retention.ts'
import type { Database } from '../../storage/open.ts'
import { bySystem } from '../by.ts'
import { auditTime } from '../event.ts'
import { RetentionRefused } from './archive.ts'

export type PurgeOptions = {
  readonly store: AuditRetentionStore
  readonly database: Pick<Database, 'auditOnly'>
  readonly log: TileStore & ReadableStore
  /** Its folder, from which entries go. Null: a bucket, which takes them away by its own rules. */
  readonly logDir: string | null
  /** Of the archive that holds what goes. */
  readonly archiveDir: string
  readonly origin: string
  readonly logKeys: readonly NoteVerifier[]
  readonly signer: NoteSigner
  /** Epoch milliseconds. */
  readonly before: number
  readonly now: number
  /** Only says what would go. */
  readonly dryRun?: boolean | undefined
}

/** What went, or would go; and why the next month stays, where one before the time does. */
export type Purged = {
  readonly months: readonly AuditMonth[]
  readonly events: number
  readonly pruned: Pruned | null
  readonly kept: { readonly month: AuditMonth; readonly why: KeptFor } | null
}

/**
 * Takes months away whose every event is past its retention, under no hold, and in an archive that has just been verified: first an event
 * says so in the log, then a note of the log's key, then the database's months go, then the entries in the log's folder. Their hashes
 * stay, so the tree is the same. Broken off anywhere, it is gone on with by doing it again. @throws RetentionRefused
 */
export async function purgeAudit(options: PurgeOptions): Promise<Purged> {
  const { store, database, log, origin, logKeys, signer } = options
  const before = await readPruned(log, origin, logKeys)
  const { months, kept } = await monthsToPurge(options)
  const until = months.at(-1)?.until
  if (until === undefined) {
    // What an earlier one could not finish.
    if (before !== undefined && options.dryRun !== true) await removeEntries(options, before.index)
    return { months, events: 0, pruned: null, kept }
  }
  const { end, next, count } = await store.placesAround(until)
  await checkArchive(options, end, before)
  // Whole bundles alone, and none that holds an event which stays; never less than before.
  const index = Math.max(before?.index ?? 0, Math.floor(Math.min(end, next) / TILE_WIDTH) * TILE_WIDTH)
  const pruned: Pruned = { index, before: until }
  if (options.dryRun === true) return { months, events: count, pruned, kept }
  const fact = { ...bySystem, action: 'audit.purge', outcome: 'allowed', count, seq: index } as const
  await database.auditOnly(null, { ...fact, until: auditTime(until) })
  await writePruned(log, origin, pruned, signer)
  await store.drop(months)
  await removeEntries(options, index)
  return { months, events: count, pruned, kept }
}

/** The oldest months up to the first that must stay. */
async function monthsToPurge({ store, before, now }: PurgeOptions): Promise<Pick<Purged, 'months' | 'kept'>> {
  if ((await store.indexedUntil()) < before) {
    throw new RetentionRefused('not every event before that time has its place in the log yet: let the sequencer run.')
  }
  const months: AuditMonth[] = []
  for (const month of await store.months(before)) {
    const why = await store.keptFor(month, now)
    if (why !== null) return { months, kept: { month, why } }
    months.push(month)
  }
  return { months, kept: null }
}

/** The archive verifies, reaches as far as what goes, begins where the last one ended, and is a beginning of this very log. */
async function checkArchive(
  { archiveDir, log, origin, logKeys, now }: PurgeOptions,
  end: number,
  before: Pruned | undefined,
): Promise<void> {
  const archive = directoryStore(archiveDir)
  const report = await verifyLog(archive, { origin, logKeys, minimumIndex: before?.index ?? 0, now })
  const { head } = report
  if (head === undefined || !report.ok)
    throw new RetentionRefused('the archive does not verify: nothing was taken away.')
  if (head.size < end) throw new RetentionRefused(`the archive ends at entry ${head.size}, and entry ${end} would go.`)
  const size = sizeIn(await log.read('checkpoint'))
  const root = size < head.size ? null : await treeRoot(head.size, tileNodeReader(log, size))
  if (root === null || !Buffer.from(root).equals(head.root)) throw new RetentionRefused('the archive is another log’s.')
}

/** Bundles that end at or before `index`; but for those in which a handover of the log's key is, which old keys need. */
async function removeEntries({ log, logDir, origin }: PurgeOptions, index: number): Promise<void> {
  if (logDir === null) return
  const needed = new Set<number>()
  for await (const path of log.list('checkpoints')) {
    const note = await log.read(path)
    // Two of the log's own keys: what witnesses add is no handover.
    const own = note === undefined ? [] : (parseNote(note)?.signatures ?? []).filter(({ name }) => name === origin)
    const isHandover = own.length > 1
    if (isHandover) needed.add(Math.floor((sizeIn(note) - 1) / TILE_WIDTH))
  }
  for (let bundle = 0; (bundle + 1) * TILE_WIDTH <= index; bundle++) {
    if (needed.has(bundle)) continue
    const full = tilePath({ level: 'entries', index: bundle, width: TILE_WIDTH })
    await rm(join(logDir, ...full.split('/')), { force: true })
    await rm(join(logDir, ...`${full}.p`.split('/')), { recursive: true, force: true })
  }
}

/** The size that a checkpoint says; it has been verified, or decides nothing. */
function sizeIn(note: Uint8Array | undefined): number {
  return Number((note === undefined ? undefined : parseNote(note)?.text.split('\n')[1]) ?? 0)
}
