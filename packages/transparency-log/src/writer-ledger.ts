import type { FindingList } from './finding-list.ts'

/** Gaps that are remembered until the end, in case what is missing comes later. More are reported at once. */
const MAX_OPEN_GAPS = 10_000

/** Numbers of a writer that were passed over, seen to be missing at `index`. */
type Gap = { readonly first: number; readonly last: number; readonly index: number }

/** Keeps every writer's numbers: each from 1 on, none left out, none twice, in order. Memory: a number for each writer. */
export type WriterLedger = {
  /** The entry at `index`, in the file `path`, is number `seq` of `writer`. */
  number(writer: string, seq: number, index: number, path: string): void
  /** A believed void at `index`: the numbers `first` to `last` of `writer` are accounted for. */
  excuse(writer: string, first: number, last: number, index: number): void
  /** Entries could not be read here (which is a finding of its own): whatever numbers they had are not held against anyone. */
  unseen(): void
  /** Reports the gaps that were never filled. */
  finish(): void
  readonly writers: number
  /** The number that is due of each writer. */
  next(): Record<string, number>
}

/**
 * `startsMidway`: the log's beginning was pruned or is not looked at, so that the first number seen of a writer may be any; unless it is
 * `known` which is due.
 */
export function writerLedger(
  findings: FindingList,
  startsMidway: boolean,
  known: Readonly<Record<string, number>> = {},
): WriterLedger {
  const gaps = new Map<string, Gap[]>()
  let open = 0
  // Grows with every stretch that could not be read. A writer last seen before it may go on at any later number.
  let sight = startsMidway ? 1 : 0
  const due = new Map(Object.entries(known).map(([writer, next]) => [writer, { next, sight }]))

  function expected(writer: string, seq: number): number {
    const { next, sight: seen } = due.get(writer) ?? { next: 1, sight: 0 }
    return seen < sight ? Math.max(next, seq) : next
  }

  function report(writer: string, { first, last, index }: Gap): void {
    findings.add({ kind: 'writer-gap', index, reason: 'skipped', writer, expected: first, found: last + 1 })
  }

  function leave(writer: string, gap: Gap): void {
    if (gap.first > gap.last) return
    if (open >= MAX_OPEN_GAPS) return report(writer, gap)
    gaps.set(writer, [...(gaps.get(writer) ?? []), gap])
    open++
  }

  /** Takes `first` to `last` out of the open gaps. False where they were not all missing. */
  function fill(writer: string, first: number, last: number): boolean {
    const all = gaps.get(writer) ?? []
    const gap = all.find((one) => one.first <= first && last <= one.last)
    if (gap === undefined) return false
    const rest = all.filter((one) => one !== gap)
    open--
    if (rest.length === 0) gaps.delete(writer)
    else gaps.set(writer, rest)
    leave(writer, { ...gap, last: first - 1 })
    leave(writer, { ...gap, first: last + 1 })
    return true
  }

  return {
    get writers() {
      return due.size
    },
    number(writer, seq, index, path) {
      const next = expected(writer, seq)
      if (seq >= next) {
        if (seq > next) leave(writer, { first: next, last: seq - 1, index })
        due.set(writer, { next: seq + 1, sight })
      } else if (fill(writer, seq, seq)) {
        findings.add({ kind: 'reordered', from: index, to: index + 1, path })
      } else {
        findings.add({ kind: 'writer-gap', index, reason: 'repeated', writer, expected: next, found: seq })
      }
    },
    excuse(writer, first, last, index) {
      const next = expected(writer, first)
      if (first >= next) {
        leave(writer, { first: next, last: first - 1, index })
        due.set(writer, { next: last + 1, sight })
      } else if (!fill(writer, first, last)) {
        findings.add({ kind: 'writer-gap', index, reason: 'repeated', writer, expected: next, found: first })
      }
    },
    unseen() {
      sight++
    },
    next: () => Object.fromEntries([...due].map(([writer, { next }]) => [writer, next])),
    finish() {
      const left = [...gaps].flatMap(([writer, some]) => some.map((gap) => ({ writer, gap })))
      for (const { writer, gap } of left.sort((a, b) => a.gap.index - b.gap.index)) report(writer, gap)
    },
  }
}
