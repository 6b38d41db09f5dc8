/** What the sequencer reads and writes (sequencer-store.ts). Sequences and places are safe integers. */

/** Where one writer's events are, and how far they have their places. */
export type WriterProgress = { readonly tenantId: string; readonly writerId: string; done: number }

/** An event of the outbox, as its bytes are. */
export type PendingRow = {
  readonly tenantId: string
  readonly writerId: string
  readonly seq: number
  /** Epoch milliseconds: the row's column, not what the event says; infinite where somebody has made it so. */
  readonly at: number
  readonly event: Buffer
}

/**
 * `count` events of one writer from `firstSeq` on have the places from `firstIndex` on. `own`: it is this very leaf, of the
 * sequencer itself.
 */
export type Run = {
  readonly firstIndex: number
  readonly count: number
  readonly tenantId: string
  readonly writerId: string
  readonly firstSeq: number
  readonly own: Buffer | null
}

/** A writer's rows that have no place yet, in their order. */
export type WriterRows = { readonly writer: WriterProgress; readonly rows: readonly PendingRow[] }

/** The rows of a run, in their order: none of the sequencer's own, and of another's those that are there. */
export type RunRows = { readonly run: Run; readonly rows: readonly PendingRow[] }

/** What was signed last. */
export type StoredHead = { readonly size: number; readonly root: Buffer; readonly note: Buffer; readonly vkey: string }

/** One row of the index that the filters of the review use. */
export type IndexRow = {
  readonly tenantId: string
  readonly index: number
  readonly at: number
  readonly writerId: string
  readonly seq: number
  readonly action: string
  readonly outcome: string
  readonly actor: string | null
  readonly patient: string | null
  readonly connection: string | null
  /** How many attempts it stands for: several where it sums up refusals. */
  readonly attempts: number
  /** Whether it is a list of patients or channels, which names none of them. */
  readonly isList: boolean
}

export type RowKey = { readonly tenantId: string; readonly writerId: string; readonly seq: number }

export type WriterCount = {
  readonly tenantId: string
  readonly writerId: string
  readonly within: number
  readonly behind: number
  readonly last: number
}

/** Numbers of a writer, `first` to `last`, that have no place although later ones do; seen at `seenAt` (epoch milliseconds). */
export type OpenGap = {
  readonly tenantId: string
  readonly writerId: string
  readonly first: number
  readonly last: number
  readonly seenAt: number
}
