import { eventLeaves } from '@wardline/transparency-log'
import type { PendingRow, Run, RunRows, WriterRows } from '../../storage/sequencer-rows.ts'

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

/** The leaves of outbox rows. Their bytes are taken as they are: whether they are an event is the verifier's to say. */
export function leavesOf(rows: readonly PendingRow[]): Uint8Array[] {
  return eventLeaves(rows.map(({ event, seq, writerId }) => ({ event, seq, writer: writerId })))
}

/** What has places from now on: the rows in their order, their runs, and the gaps between them. */
export type Placed = { readonly runs: Run[]; readonly rows: PendingRow[]; readonly gaps: WriterGap[] }

/**
 * Gives rows their places from `firstIndex` on: writer by writer, each in its order. A number that is left out parts the run and is told;
 * what comes behind it is logged all the same, for the log is where a gap is to be seen.
 */
export function placeRows(pending: readonly WriterRows[], firstIndex: number): Placed {
  const placed: Placed = { runs: [], rows: [], gaps: [] }
  for (const { writer, rows } of pending) {
    const { tenantId, writerId } = writer
    let due = writer.done + 1
    let run: { -readonly [K in keyof Run]: Run[K] } | undefined
    for (const row of rows) {
      if (row.seq !== due) placed.gaps.push({ tenant: tenantId, writer: writerId, expected: due, found: row.seq })
      if (run === undefined || row.seq !== due) {
        run = {
          firstIndex: firstIndex + placed.rows.length,
          count: 0,
          tenantId,
          writerId,
          firstSeq: row.seq,
          own: null,
        }
        placed.runs.push(run)
      }
      run.count += 1
      due = row.seq + 1
      placed.rows.push(row)
    }
  }
  return placed
}

/**
 * The leaves of runs read back, in order, from place `from` on. @throws RangeError where a row that has a place is not in the outbox any
 * more
 */
export function leavesOfRuns(runs: readonly RunRows[], from: number): Uint8Array[] {
  return runs.flatMap(({ run, rows }) => {
    const passed = Math.max(0, from - run.firstIndex)
    if (run.own !== null) return passed > 0 ? [] : [run.own]
    const gone = rows.findIndex((row, i) => row.seq !== run.firstSeq + i)
    const whole = gone === -1 ? rows.length : gone
    if (whole < run.count) {
      throw new RangeError(
        `number ${run.firstSeq + whole} of writer ${run.writerId} has place ${run.firstIndex + whole} and is gone`,
      )
    }
    return leavesOf(rows.slice(passed))
  })
}
