import {
  type NoteVerifier,
  openNote,
  type Pruned,
  parseCheckpoint,
  readEntries,
  type TileStore,
  tileNodeReader,
  treeRoot,
} from '@wardline/transparency-log'
import type { CompareStore } from '../../storage/compare-store.ts'
import { writerKey } from '../sequencer/places.ts'
import { compareEntries, type Seen } from './entries.ts'
import { type DatabaseFinding, DatabaseFindings } from './findings.ts'

export type CompareOptions = {
  readonly store: CompareStore
  readonly tiles: Pick<TileStore, 'read'>
  /** Of the log, which has been verified to be what was signed. */
  readonly size: number
  /** Every key that may have signed it (`VerifyReport.logKeys`). */
  readonly logKeys: readonly NoteVerifier[]
  /** What was taken out of the database on purpose, after it was archived. */
  readonly pruned?: Pruned | undefined
  readonly onProgress?: (progress: { readonly entries: number; readonly of: number }) => void
}

/** Entries that are looked up at once. */
const STRIDE = 1_000

/**
 * Holds the database against the log, every event and every place, both ways: whoever owns the database and changes something is found
 * by table and row. It believes the log: verify that first. A server may go on meanwhile.
 */
export async function compareDatabase(
  options: CompareOptions,
): Promise<{ findings: DatabaseFinding[]; dropped: number }> {
  const { store, tiles, size, pruned, onProgress } = options
  const findings = new DatabaseFindings()
  const seen: Seen = { writers: new Map(), indexRows: 0 }
  const indexedTo = (await store.readIndexState())?.nextIndex ?? 0
  await compareHead(options, findings)
  let stride: Uint8Array[] = []
  let from = pruned?.index ?? 0
  for await (const entry of readEntries(tiles, size, from)) {
    stride.push(entry ?? new Uint8Array(0))
    if (stride.length < STRIDE && from + stride.length < size) continue
    await compareEntries(store, stride, { from, indexedTo, goneBefore: pruned?.before ?? 0 }, seen, findings)
    from += stride.length
    stride = []
    onProgress?.({ entries: from, of: size })
  }
  await compareCounts(store, seen, findings)
  await compareIndexState(store, seen, size, findings)
  await compareSums(store, findings)
  return { findings: findings.all(), dropped: findings.dropped }
}

/** Rows that the log does not know: put in among what is logged, or out of their writer's order behind it. */
async function compareCounts(store: CompareStore, { writers }: Seen, findings: DatabaseFindings): Promise<void> {
  for (const counted of await store.countRows([...writers.values()])) {
    const { last, found } = writers.get(writerKey(counted)) ?? { last: 0, found: 0 }
    const inserted = counted.within - found
    const writer = `writer ${counted.writerId}`
    if (inserted > 0) findings.add('changed', 'audit_outbox', `${inserted} rows of ${writer} are not in the log`)
    if (counted.behind > 0 && counted.last - last !== counted.behind) {
      const sentence = `of ${writer} there are ${counted.behind} rows behind number ${last}, the last of them is ${counted.last}`
      findings.add('writer-gap', 'audit_outbox', sentence)
    }
  }
}

async function compareHead({ store, tiles, size, logKeys }: CompareOptions, findings: DatabaseFindings): Promise<void> {
  const where = 'audit_log.head'
  const end = await store.readEnd()
  if (end < size) findings.add('truncated', 'audit_log.runs', `places are given to ${end} entries of ${size}`)
  const head = await store.readHead()
  if (head === undefined) {
    if (size > 0) findings.add('missing', where, 'it does not say what was signed')
    return
  }
  const opened = openNote(
    head.note,
    logKeys.filter(({ vkey }) => vkey === head.vkey),
  )
  const signed = opened.ok ? parseCheckpoint(opened.text) : undefined
  const agrees = signed?.size === head.size && Buffer.from(signed.root).equals(head.root)
  if (!agrees) findings.add('changed', where, 'it is not what its checkpoint is signed for')
  // A larger one was signed after this verification began; then only its signature can be looked at.
  if (head.size > size) return
  const root = await treeRoot(head.size, tileNodeReader(tiles, size))
  if (!head.root.equals(root)) findings.add('forked', where, `another tree of ${head.size} entries was signed`)
}

/** What the histogram counts is what the index holds. A row that is missing there has been told of already. */
async function compareSums(store: CompareStore, findings: DatabaseFindings): Promise<void> {
  for (const unit of ['hour', 'day'] as const) {
    const wrong = await store.countWrongSums(unit)
    if (wrong > 0)
      findings.add('changed', `audit_log.${unit}s`, `${wrong} ${unit}s are not counted as the index has them`)
  }
}

async function compareIndexState(
  store: CompareStore,
  seen: Seen,
  size: number,
  findings: DatabaseFindings,
): Promise<void> {
  const where = 'audit_log.indexed'
  const state = await store.readIndexState()
  if (state === undefined) return
  if (state.nextIndex > state.places) findings.add('changed', where, 'the index says that it goes further than the log')
  const first = await store.readFirstUnindexed(state.nextIndex)
  if (first !== null && first < state.safeAt) {
    findings.add('changed', where, 'the index says that it is whole up to a time before which it lacks events')
  }
  const extra = (await store.countIndexRows(size)) - seen.indexRows
  if (extra > 0) findings.add('changed', 'audit_log.events', `${extra} rows of the index are of no entry`)
}
