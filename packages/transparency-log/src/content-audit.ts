import type { FindingList } from './finding-list.ts'
import { parseLeaf, type SignedVoid } from './leaf.ts'
import type { NoteVerifier } from './note-keys.ts'
import { verifyVoid } from './void.ts'
import { type WriterLedger, writerLedger } from './writer-ledger.ts'

/** Voids that a report lists; more are counted. */
const MAX_LISTED_VOIDS = 1000

/** What the entries themselves say: who wrote which number, signs of life, accepted gaps. */
export type ContentAudit = {
  /** Takes the entry at `index`, which the tree vouches for. */
  take(entry: Uint8Array, index: number, path: string): void
  unseen(): void
  /** Reports what is only known at the end: gaps, and a last heartbeat that is too old for `maxHeartbeatAgeMs`. */
  finish(now: number, maxHeartbeatAgeMs: number | undefined): void
  readonly summary: ContentSummary
}

export type ContentSummary = {
  /** Entries read. */
  readonly entries: number
  readonly writers: number
  /** Accepted gaps: how many, and the first thousand. */
  readonly voidCount: number
  readonly voids: readonly { readonly index: number; readonly void: SignedVoid }[]
  /** Milliseconds since the epoch. */
  readonly lastHeartbeatAt?: number
}

export function contentAudit(
  origin: string,
  voidKeys: readonly NoteVerifier[],
  startsMidway: boolean,
  findings: FindingList,
): ContentAudit {
  const ledger: WriterLedger = writerLedger(findings, startsMidway)
  const voids: { index: number; void: SignedVoid }[] = []
  let voidCount = 0
  let entries = 0
  let lastHeartbeatAt: number | undefined

  function takeVoid(statement: SignedVoid, index: number, path: string): void {
    if (!verifyVoid(statement, origin, voidKeys)) {
      findings.add({ kind: 'bad-signature', path, index, reason: 'no known key signed this void' })
      return
    }
    voidCount++
    if (voids.length < MAX_LISTED_VOIDS) voids.push({ index, void: statement })
    ledger.excuse(statement.writer, statement.first, statement.last, index)
  }

  return {
    take(entry, index, path) {
      entries++
      const leaf = parseLeaf(entry)
      if (leaf === undefined) {
        findings.add({ kind: 'writer-gap', index, reason: 'unreadable', writer: '', expected: 0, found: 0 })
        ledger.unseen()
        return
      }
      ledger.number(leaf.writer, leaf.seq, index, path)
      if (leaf.kind === 'heartbeat') lastHeartbeatAt = leaf.at
      if (leaf.kind === 'void') takeVoid(leaf.void, index, path)
    },
    unseen: () => ledger.unseen(),
    finish(now, maxHeartbeatAgeMs) {
      ledger.finish()
      if (maxHeartbeatAgeMs === undefined) return
      if (lastHeartbeatAt === undefined) findings.add({ kind: 'stale', now })
      else if (Math.abs(now - lastHeartbeatAt) > maxHeartbeatAgeMs)
        findings.add({ kind: 'stale', lastHeartbeatAt, now })
    },
    get summary() {
      const base = { entries, writers: ledger.writers, voidCount, voids }
      return lastHeartbeatAt === undefined ? base : { ...base, lastHeartbeatAt }
    },
  }
}
