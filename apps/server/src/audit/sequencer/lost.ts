import { type NoteSigner, signVoid, voidLeaf } from '@wardline/transparency-log'
import type { OpenGap, PendingRow, Run } from '../../storage/sequencer-rows.ts'
import type { GapChange, SequencerStore } from '../../storage/sequencer-store.ts'
import { leavesOf, OWN_ID, OWN_WRITER, type WriterGap } from './places.ts'

/** Gaps that are settled at once, and rows of one of them that are looked for. */
const GAPS = 50
const ROWS = 1_000

export type SettleOptions = {
  readonly store: SequencerStore
  readonly signer: NoteSigner
  /** Epoch milliseconds. */
  readonly now: number
  /** Gaps that are younger are left alone: whoever took the rows out may put them back. */
  readonly afterMs: number
  /** The next place, and the last number of the sequencer's own leaves. */
  readonly firstIndex: number
  readonly ownSeq: number
}

/** Leaves and their places, in order; `voids` is how many of them are the sequencer's own. */
export type Settled = {
  readonly runs: readonly Run[]
  readonly leaves: readonly Uint8Array[]
  readonly gaps: GapChange
  readonly voids: number
}

/** For the gap that a writer left at a time: what is kept of it until it is settled. */
export function openGap({ tenant, writer, expected, found }: WriterGap, seenAt: number): OpenGap {
  return { tenantId: tenant, writerId: writer, first: expected, last: found - 1, seenAt }
}

/**
 * What is to be logged of gaps that are old enough: rows that are there again get a place, late as they are; the numbers of the others
 * are declared void, signed by the log's key. A verification lists each void: it explains a gap, and hides nothing.
 */
export async function settleGaps(options: SettleOptions): Promise<Settled> {
  const { store, signer, now, afterMs } = options
  const runs: Run[] = []
  const leaves: Uint8Array[] = []
  const opened: OpenGap[] = []
  const settled = await store.readGaps(now - afterMs, GAPS)
  let voids = 0

  const place = (run: Omit<Run, 'firstIndex' | 'count'>, these: readonly Uint8Array[]): void => {
    runs.push({ ...run, firstIndex: options.firstIndex + leaves.length, count: these.length })
    leaves.push(...these)
  }
  const declareVoid = ({ writerId }: OpenGap, first: number, last: number): void => {
    if (first > last) return
    voids += 1
    const seq = options.ownSeq + voids
    const statement = { at: now, first, last, reason: 'lost', writer: writerId } as const
    const leaf = voidLeaf(signVoid(statement, signer.verifier.name, signer), seq, OWN_WRITER)
    place({ tenantId: OWN_ID, writerId: OWN_ID, firstSeq: seq, own: Buffer.from(leaf) }, [leaf])
  }

  for (const gap of settled) {
    if (await store.isPlaced(gap)) continue
    const rows = await store.readWithin(gap, ROWS)
    let due = gap.first
    for (const group of neighbours(rows)) {
      const first = group[0]?.seq ?? due
      declareVoid(gap, due, first - 1)
      place({ tenantId: gap.tenantId, writerId: gap.writerId, firstSeq: first, own: null }, leavesOf(group))
      due = first + group.length
    }
    // There may be more rows than were read: what is behind them stays a gap for the next time.
    if (rows.length < ROWS) declareVoid(gap, due, gap.last)
    else if (due <= gap.last) opened.push({ ...gap, first: due })
  }
  return { runs, leaves, gaps: { opened, settled }, voids }
}

/** Rows whose numbers follow each other, together. */
function neighbours(rows: readonly PendingRow[]): PendingRow[][] {
  const groups: PendingRow[][] = []
  for (const row of rows) {
    const last = groups.at(-1)
    if (last?.at(-1)?.seq === row.seq - 1) last.push(row)
    else groups.push([row])
  }
  return groups
}
