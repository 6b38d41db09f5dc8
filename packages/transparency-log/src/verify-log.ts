import { equalBytes } from './bytes.ts'
import { type ContentAudit, type ContentSummary, contentAudit } from './content-audit.ts'
import type { Finding } from './finding.ts'
import { type FindingList, findingList } from './finding-list.ts'
import { type Frontier, frontier } from './frontier.ts'
import type { NoteVerifier } from './note-keys.ts'
import { type RootWatch, rootWatch } from './root-watch.ts'
import { type Arbiter, readTileFiles, type TileFiles, type TileVerdict, tileAudit } from './tile-audit.ts'
import { type TileColumns, tileColumns } from './tile-columns.ts'
import { TILE_WIDTH, tilePath, tileWidth } from './tile-path.ts'
import type { ReadableStore } from './tile-store.ts'
import { gatherHeads, type SignedHead, type TrustPolicy } from './verify-checkpoints.ts'

export type VerifyOptions = TrustPolicy & {
  /** Keys whose voids are accepted; the log's own by default. */
  readonly voidKeys?: readonly NoteVerifier[]
  /** Checkpoints (signed notes) the auditor kept from earlier: the log must still extend them. */
  readonly known?: readonly Uint8Array[]
  /** Entries below this index may have been pruned, by whole bundles; their hashes stay. 0 by default. */
  readonly minimumIndex?: number
  /** Milliseconds since the epoch. */
  readonly now: number
  /** How far the last heartbeat may be from `now`; not looked at when absent. */
  readonly maxHeartbeatAgeMs?: number
  /** Findings to list; more are counted. 1000 by default. */
  readonly maxFindings?: number
  /** Called every 16,384 entries and at the end. */
  readonly onProgress?: (progress: { readonly entries: number; readonly of: number }) => void
  readonly signal?: AbortSignal
}

export type VerifyReport = ContentSummary & {
  /** True when there is no finding. */
  readonly ok: boolean
  /** The checkpoint the log was verified at; absent when none could be believed. */
  readonly head?: SignedHead
  /** Signed roots recomputed from the entries and found right, the head's included. */
  readonly rootsMatched: number
  readonly findings: readonly Finding[]
  readonly findingsDropped: number
}

/** Tiles between two progress reports. */
const PROGRESS_TILES = 64

/**
 * Verifies a whole log offline, from files and public keys alone: hashes every entry, holds it against the tiles, the
 * tiles against each other, the tree against every signed root, the writers' numbers against each other, and the last
 * heartbeat against the clock. Streams; memory does not grow with the log, but for a number a writer. Tampering is a
 * finding and never an error: it rejects only where the store itself fails, or `signal` is aborted.
 */
export async function verifyLog(store: ReadableStore, options: VerifyOptions): Promise<VerifyReport> {
  const { origin, logKeys, voidKeys = logKeys, known = [], minimumIndex = 0 } = options
  const findings = findingList(options.maxFindings ?? 1000)
  const { present, others } = await gatherHeads(store, options, known, findings)
  const target = present ?? others.toSorted((a, b) => b.size - a.size)[0]
  const content = contentAudit(origin, voidKeys, minimumIndex > 0, findings)
  let rootsMatched = 0
  if (target !== undefined) {
    const rest = others.filter((head) => head !== target)
    const roots = rootWatch(target, rest, findings)
    await walk(store, { target, roots, content, findings }, options)
    content.finish(options.now, options.maxHeartbeatAgeMs)
    rootsMatched = roots.matched
  }
  const all = findings.all()
  const { dropped } = findings
  const report = { ...content.summary, ok: all.length === 0, rootsMatched, findings: all, findingsDropped: dropped }
  return target === undefined ? report : { ...report, head: target }
}

type Walk = {
  readonly target: SignedHead
  readonly roots: RootWatch
  readonly content: ContentAudit
  readonly findings: FindingList
}

/** From the first tile to the last; the next one is read while this one is hashed. */
async function walk(
  store: ReadableStore,
  { target, roots, content, findings }: Walk,
  options: VerifyOptions,
): Promise<void> {
  const { size } = target
  const tiles = tileAudit(options.minimumIndex ?? 0, findings)
  const columns = tileColumns(store, size, findings)
  const tree = growingTree(roots, columns)
  const count = Math.ceil(size / TILE_WIDTH)
  const read = async (index: number): Promise<TileFiles | undefined> =>
    index < count ? readTileFiles(store, index, tileWidth(0, index, size)) : undefined
  let upcoming = read(0)
  for (let files = await upcoming; files !== undefined; files = await upcoming) {
    const { index, width } = files
    options.signal?.throwIfAborted()
    upcoming = read(index + 1)
    upcoming.catch(() => undefined) // it is awaited in the next round; until then it must not count as unhandled
    await columns.prepare(index)
    const parent = width === TILE_WIDTH ? columns.parentOf(index) : undefined
    const { hashes, entries } = tiles.audit(files, arbiter(tree.present, parent, target))
    tree.grow(hashes, parent)
    takeEntries(content, entries, files)
    if (index + 1 === count || (index + 1) % PROGRESS_TILES === 0) {
      options.onProgress?.({ entries: index * TILE_WIDTH + width, of: size })
    }
  }
  tiles.finish(size, target.path)
  roots.finish()
}

function takeEntries(content: ContentAudit, entries: TileVerdict['entries'], { index, width }: TileFiles): void {
  const path = tilePath({ level: 'entries', index, width })
  for (let i = 0; i < width; i++) {
    const entry = entries[i]
    if (entry === undefined) content.unseen()
    else content.take(entry, index * TILE_WIDTH + i, path)
  }
}

/** The tree as far as it can be computed: not past a stretch that is neither there nor summed up in a tile above. */
function growingTree(roots: RootWatch, columns: TileColumns) {
  let tree: Frontier | undefined = frontier(0, [], (level, index, hash) => {
    if (level > 0 && level % 8 === 0) columns.check(level, index, hash)
  })
  roots.look(tree)
  return {
    get present() {
      return tree
    },
    grow(hashes: readonly Uint8Array[] | undefined, parent: Uint8Array | undefined): void {
      if (tree === undefined) return
      if (hashes !== undefined) {
        for (const hash of hashes) {
          tree.push(hash)
          roots.look(tree)
        }
      } else if (parent !== undefined) {
        tree.pushSubtree(8, parent)
        roots.look(tree)
      } else {
        tree = undefined
      }
    },
  }
}

/** Between a tile and its bundle the hash above decides; for the last, partial tile, the signed root does. */
function arbiter(tree: Frontier | undefined, parent: Uint8Array | undefined, target: SignedHead): Arbiter {
  const agrees = (hashes: readonly Uint8Array[]): boolean => {
    if (parent !== undefined) return equalBytes(rootOf(frontier(), hashes), parent)
    return tree !== undefined && equalBytes(rootOf(tree.clone(), hashes), target.root)
  }
  return (stored, computed) => (agrees(stored) ? 'stored' : agrees(computed) ? 'computed' : undefined)
}

function rootOf(tree: Frontier, hashes: readonly Uint8Array[]): Uint8Array {
  for (const hash of hashes) tree.push(hash)
  return tree.root()
}
