import type { FindingList } from './finding-list.ts'
import { openHandover } from './handover.ts'
import { parseLeaf, type SignedHandover, type SignedVoid } from './leaf.ts'
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
  /** For the next verification, where this one found nothing. */
  state(): ContentState
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

/** What an earlier verification saw last, so that this one can go on from there. */
export type ContentState = {
  /** The number that is due of each writer. */
  readonly writers: Readonly<Record<string, number>>
  /** Milliseconds since the epoch. */
  readonly lastHeartbeatAt?: number
}

export function contentAudit(
  origin: string,
  keys: { readonly voidKeys: readonly NoteVerifier[]; readonly logKeys: readonly NoteVerifier[] },
  start: { readonly isMidway: boolean; readonly state?: ContentState },
  findings: FindingList,
): ContentAudit {
  const ledger: WriterLedger = writerLedger(findings, start.isMidway, start.state?.writers)
  const voids: { index: number; void: SignedVoid }[] = []
  let voidCount = 0
  let entries = 0
  let lastHeartbeatAt = start.state?.lastHeartbeatAt

  function takeVoid(statement: SignedVoid, index: number, path: string): void {
    if (!verifyVoid(statement, origin, keys.voidKeys)) {
      findings.add({ kind: 'bad-signature', path, index, reason: 'no known key signed this void' })
      return
    }
    voidCount++
    if (voids.length < MAX_LISTED_VOIDS) voids.push({ index, void: statement })
    ledger.excuse(statement.writer, statement.first, statement.last, index)
  }

  function takeHandover(handover: SignedHandover, index: number, path: string): void {
    const from = openHandover(handover, origin)?.from
    if (keys.logKeys.some(({ vkey }) => vkey === from?.vkey)) return
    findings.add({
      kind: 'bad-signature',
      path,
      index,
      reason: 'no known key of the log signed this change of its key',
    })
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
      if (leaf.kind === 'handover') takeHandover(leaf.handover, index, path)
    },
    unseen: () => ledger.unseen(),
    finish(now, maxHeartbeatAgeMs) {
      ledger.finish()
      if (maxHeartbeatAgeMs === undefined) return
      if (lastHeartbeatAt === undefined) findings.add({ kind: 'stale', of: 'heartbeat', now })
      else if (Math.abs(now - lastHeartbeatAt) > maxHeartbeatAgeMs)
        findings.add({ kind: 'stale', of: 'heartbeat', lastAt: lastHeartbeatAt, now })
    },
    state: () => ({ writers: ledger.next(), ...(lastHeartbeatAt !== undefined && { lastHeartbeatAt }) }),
    get summary() {
      const base = { entries, writers: ledger.writers, voidCount, voids }
      return lastHeartbeatAt === undefined ? base : { ...base, lastHeartbeatAt }
    },
  }
}
