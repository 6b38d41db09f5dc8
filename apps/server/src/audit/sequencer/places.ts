import { eventLeaf } from '@wardline/transparency-log'
import type { PendingRow, Run, WriterProgress } from '../../storage/sequencer-rows.ts'

/** The sequencer's own leaves, among the runs: no tenant, no writer of the outbox. */
export const OWN_ID = '00000000-0000-0000-0000-000000000000'
/** The same in the leaves. */
export const OWN_WRITER = 'sequencer'

/** At `writer`, `found` came where `expected` was due: rows were taken out of the outbox before they had their place. */
export type WriterGap = {
  readonly tenant: string
  readonly writer: string
  readonly expected: number
  readonly found: number
}

export function writerKey({ tenantId, writerId }: { tenantId: string; writerId: string }): string {
  return `${tenantId}/${writerId}`
}

/** The leaf of an outbox row. Its bytes are taken as they are: whether they are an event is the verifier's to say. */
export function leafOf({ event, seq, writerId }: PendingRow): Uint8Array {
  return eventLeaf(event, seq, writerId)
}

export type Placed = { readonly runs: Run[]; readonly rows: PendingRow[]; readonly gaps: WriterGap[] }

/**
 * Gives rows their places from `firstIndex` on: writer by writer, each in its order. A number that is left out parts the run and is told;
 * what comes behind it is logged all the same, for the log is where a gap is to be seen.
 */
export function placeRows(
  pending: readonly PendingRow[],
  progress: ReadonlyMap<string, WriterProgress>,
  firstIndex: number,
): Placed {
  const byWriter = Map.groupBy(pending, writerKey)
  const placed: Placed = { runs: [], rows: [], gaps: [] }
  for (const [key, rows] of byWriter) {
    rows.sort((a, b) => a.seq - b.seq)
    let due = (progress.get(key)?.done ?? 0) + 1
    let run: { -readonly [K in keyof Run]: Run[K] } | undefined
    for (const row of rows) {
      if (row.seq !== due) placed.gaps.push(gapBefore(row, due))
      if (run === undefined || row.seq !== due) {
        const { tenantId, writerId, seq } = row
        run = { firstIndex: firstIndex + placed.rows.length, count: 0, tenantId, writerId, firstSeq: seq, own: null }
        placed.runs.push(run)
      }
      run.count += 1
      due = row.seq + 1
      placed.rows.push(row)
    }
  }
  return placed
}

function gapBefore({ tenantId, writerId, seq }: PendingRow, expected: number): WriterGap {
  return { tenant: tenantId, writer: writerId, expected, found: seq }
}

/**
 * The leaves of runs read back, in order, from `from` on. @throws RangeError where a row that has a place is not in the outbox any more
 */
export function leavesOf(runs: readonly Run[], rows: readonly PendingRow[], from: number): Uint8Array[] {
  const byPlace = new Map(rows.map((row) => [`${writerKey(row)}/${row.seq}`, row]))
  const leaves: Uint8Array[] = []
  for (const run of runs) {
    for (let i = Math.max(0, from - run.firstIndex); i < run.count; i++) {
      const row = byPlace.get(`${writerKey(run)}/${run.firstSeq + i}`)
      if (run.own === null && row === undefined) {
        throw new RangeError(
          `number ${run.firstSeq + i} of writer ${run.writerId} has place ${run.firstIndex + i} and is gone`,
        )
      }
      leaves.push(run.own ?? leafOf(row as PendingRow))
    }
  }
  return leaves
}
