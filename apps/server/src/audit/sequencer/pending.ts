import { isDue } from '../../clock.ts'
import type { WriterProgress, WriterRows } from '../../storage/sequencer-rows.ts'
import type { SequencerStore } from '../../storage/sequencer-store.ts'
import { type Placed, placeRows, writerKey } from './places.ts'

const SWEEP_MS = 60_000
/** Events of one look: so many of one writer, so that none starves the others, and so many in all. */
const PER_WRITER = 2_000
const BATCH = 4_000

/** What one look builds on: who writes, how far each of them has its places, and where the next place is. */
type Looking = { writers: Map<string, WriterProgress>; sweptAt: number; turn: number; readonly end: number }

/** Learns of writers: of those that began just now in each look, of all of them in a sweep. True where it was one. */
export async function findWriters(store: SequencerStore, looking: Looking, now: number): Promise<boolean> {
  if (isDue(looking.sweptAt, SWEEP_MS, now)) {
    const all = await store.sweepWriters()
    Object.assign(looking, { writers: new Map(all.map((writer) => [writerKey(writer), writer])), sweptAt: now })
    return true
  }
  for (const writer of await store.newWriters()) {
    const key = writerKey(writer)
    if (!looking.writers.has(key)) looking.writers.set(key, writer)
  }
  return false
}

/**
 * The rows without a place, and the places that they get. Six years are some seventy parts, and only the last of them hold anything new:
 * the others are looked through with each sweep, and before anything is called a gap.
 */
export async function readPlaced(
  store: SequencerStore,
  looking: Looking,
  hasSwept: boolean,
): Promise<{ pending: WriterRows[]; placed: Placed }> {
  const writers = inTurn(looking)
  const pending = await store.readPending(writers, PER_WRITER, BATCH, !hasSwept)
  const placed = placeRows(pending, looking.end)
  if (hasSwept || placed.gaps.length === 0) return { pending, placed }
  const all = await store.readPending(writers, PER_WRITER, BATCH, false)
  return { pending: all, placed: placeRows(all, looking.end) }
}

/** Whether one look's rows are so many that there may be more to read at once, of one writer or in all. */
export function isCut(pending: readonly WriterRows[]): boolean {
  const all = pending.reduce((sum, { rows }) => sum + rows.length, 0)
  return all === BATCH || pending.some(({ rows }) => rows.length === PER_WRITER)
}

/** Another begins each time, so that a flood of one writer does not keep the last of them waiting. */
function inTurn(looking: Looking): WriterProgress[] {
  const all = [...looking.writers.values()]
  Object.assign(looking, { turn: looking.turn + 1 })
  const from = all.length === 0 ? 0 : looking.turn % all.length
  return [...all.slice(from), ...all.slice(0, from)]
}
