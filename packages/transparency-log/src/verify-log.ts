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
import { gatherHeads, type SignedHead, type TrustPolicy, type WitnessedHead } from './verify-checkpoints.ts'
import { FROM_THE_BEGINNING, lookBehind, resume, SINCE, type Start, type Verified } from './verify-since.ts'

export type VerifyOptions = TrustPolicy & {
  /** Keys whose voids are accepted; the log's own by default. */
  readonly voidKeys?: readonly NoteVerifier[]
  /** Checkpoints (signed notes) the auditor kept from earlier: the log must still extend them. */
  readonly known?: readonly Uint8Array[]
  /**
   * An earlier verification that found nothing (`VerifyReport.verified`): what it covered is not read again, but by its hashes. Where all
   * that was kept of it is its checkpoint, a writer's first number since then may be any.
   */
  readonly since?: Pick<Verified, 'checkpoint'> & Partial<Verified>
  /** Entries below this index may have been pruned, by whole bundles; their hashes stay. 0 by default. */
  readonly minimumIndex?: number
  /** Milliseconds since the epoch. */
  readonly now: number
  /** How far the last heartbeat, and the last cosignature where witnesses are asked for, may be from `now`; not looked at when absent. */
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
  /** The last one that enough witnesses cosigned, where a policy asks for any: what comes behind it, nobody else has seen yet. */
  readonly witnessed?: WitnessedHead
  /** Every key that may have signed this log: those that were trusted, and those that its handovers lead to. */
  readonly logKeys: readonly NoteVerifier[]
  /** The index from which on entries were read. */
  readonly from: number
  /** For the next verification to go on from; absent where anything was found. */
  readonly verified?: Verified
  /** Signed roots recomputed from the entries and found right, the head's included. */
  readonly rootsMatched: number
  readonly findings: readonly Finding[]
  readonly findingsDropped: number
}

/** Tiles between two progress reports. */
const PROGRESS_TILES = 64

/**
 * Verifies a log offline, from files and public keys alone: hashes every entry, holds it against the tiles, the
 * tiles against each other, the tree against every signed root, the writers' numbers against each other, and the last
 * heartbeat against the clock. Streams; memory does not grow with the log, but for a number a writer. Tampering is a
 * finding and never an error: it rejects only where the store itself fails, or `signal` is aborted.
 */
export async function verifyLog(store: ReadableStore, options: VerifyOptions): Promise<VerifyReport> {
  const { origin, known = [], minimumIndex = 0, since } = options
  const findings = findingList(options.maxFindings ?? 1000)
  const brought = known.map((note, i) => ({ note, path: `known checkpoint ${i + 1}` }))
  if (since !== undefined) brought.push({ note: since.checkpoint, path: SINCE })
  const { present, others, witnessed, chain } = await gatherHeads(store, options, brought, findings)
  const target = present ?? others.toSorted((a, b) => b.size - a.size)[0]
  const begun = others.find(({ path }) => path === SINCE)
  const start = target && begun && begun.size <= target.size ? await resume(store, begun, target) : FROM_THE_BEGINNING
  const isMidway = minimumIndex > 0 || (start.from > 0 && since?.writers === undefined)
  const state = since?.writers === undefined || start.from === 0 ? undefined : { ...since, writers: since.writers }
  const keys = { voidKeys: options.voidKeys ?? chain.keys, logKeys: chain.keys }
  const content = contentAudit(origin, keys, { isMidway, ...(state && { state }) }, findings)
  let rootsMatched = 0
  if (target !== undefined) {
    const rest = others.filter((head) => head !== target)
    const roots = rootWatch(target, rest, start.tile * TILE_WIDTH, findings)
    await lookBehind(store, target, rest, start, findings)
    await walk(store, { target, roots, content, findings, start }, options)
    content.finish(options.now, options.maxHeartbeatAgeMs)
    rootsMatched = roots.matched
  }
  reportSilentWitnesses(witnessed, options, findings)
  const all = findings.all()
  const { dropped } = findings
  return {
    ...content.summary,
    ok: all.length === 0,
    logKeys: chain.keys,
    from: start.from,
    rootsMatched,
    findings: all,
    findingsDropped: dropped,
    ...(target && { head: target }),
    ...(witnessed && { witnessed }),
    ...(target && all.length === 0 && { verified: { checkpoint: target.note, ...content.state() } }),
  }
}

function reportSilentWitnesses(
  witnessed: WitnessedHead | undefined,
  { now, maxHeartbeatAgeMs }: VerifyOptions,
  findings: FindingList,
): void {
  if (witnessed === undefined || maxHeartbeatAgeMs === undefined) return
  const lastAt = witnessed.at * 1000
  if (Math.abs(now - lastAt) > maxHeartbeatAgeMs) findings.add({ kind: 'stale', of: 'witness', lastAt, now })
}

type Walk = {
  readonly target: SignedHead
  readonly roots: RootWatch
  readonly content: ContentAudit
  readonly findings: FindingList
  readonly start: Start
}

/** From the first tile that counts to the last; the next one is read while this one is hashed. */
async function walk(
  store: ReadableStore,
  { target, roots, content, findings, start }: Walk,
  options: VerifyOptions,
): Promise<void> {
  const { size } = target
  const tiles = tileAudit(options.minimumIndex ?? 0, findings)
  const columns = tileColumns(store, size, findings)
  const tree = growingTree(roots, columns, start)
  const count = Math.ceil(size / TILE_WIDTH)
  const read = async (index: number): Promise<TileFiles | undefined> =>
    index < count ? readTileFiles(store, index, tileWidth(0, index, size)) : undefined
  let upcoming = read(start.tile)
  for (let files = await upcoming; files !== undefined; files = await upcoming) {
    const { index, width } = files
    options.signal?.throwIfAborted()
    upcoming = read(index + 1)
    upcoming.catch(() => undefined) // it is awaited in the next round; until then it must not count as unhandled
    await columns.prepare(index)
    const parent = width === TILE_WIDTH ? columns.parentOf(index) : undefined
    const { hashes, entries } = tiles.audit(files, arbiter(tree.present, parent, target))
    tree.grow(hashes, parent)
    takeEntries(content, entries, files, start.from)
    if (index + 1 === count || (index + 1) % PROGRESS_TILES === 0) {
      options.onProgress?.({ entries: index * TILE_WIDTH + width, of: size })
    }
  }
  tiles.finish(size, target.path)
  roots.finish()
}

function takeEntries(
  content: ContentAudit,
  entries: TileVerdict['entries'],
  { index, width }: TileFiles,
  from: number,
): void {
  const path = tilePath({ level: 'entries', index, width })
  for (let i = Math.max(0, from - index * TILE_WIDTH); i < width; i++) {
    const entry = entries[i]
    if (entry === undefined) content.unseen()
    else content.take(entry, index * TILE_WIDTH + i, path)
  }
}

/** The tree as far as it can be computed: not past a stretch that is neither there nor summed up in a tile above. */
function growingTree(roots: RootWatch, columns: TileColumns, start: Start) {
  let tree: Frontier | undefined = frontier(start.tile * TILE_WIDTH, start.roots, (level, index, hash) => {
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
