import { equalBytes } from './bytes.ts'
import { parseCheckpoint, type TreeHead } from './checkpoint.ts'
import { decodeBundle } from './entry-bundle.ts'
import { leafHash } from './merkle-hash.ts'
import type { NoteVerifier } from './note-keys.ts'
import { frontierRoots, treeRoot } from './proofs.ts'
import { type EdgeState, EMPTY_EDGE } from './right-edge.ts'
import { openNote } from './signed-note.ts'
import { TILE_WIDTH, tilePath, tileWidth } from './tile-path.ts'
import { bundleEntries, readTile, TileMissingError, tileHashes, tileNodeReader } from './tile-reader.ts'
import { CHECKPOINT_PATH, type TileStore } from './tile-store.ts'

/** Why a log is not gone on with: what the store holds contradicts what was signed, or what the sequencer remembers. */
export class InconsistentLogError extends Error {
  override readonly name = 'InconsistentLogError'
}

/** The checkpoint a store holds, believed: the note verbatim and what it says. `undefined` for a store without. */
export async function readCheckpoint(
  store: Pick<TileStore, 'read'>,
  origin: string,
  keys: readonly NoteVerifier[],
): Promise<{ note: Uint8Array; head: TreeHead } | undefined> {
  const note = await store.read(CHECKPOINT_PATH)
  if (note === undefined) return undefined
  const opened = openNote(note, keys)
  if (!opened.ok) throw new InconsistentLogError(`the checkpoint is not to be believed: ${opened.fault}`)
  const checkpoint = parseCheckpoint(opened.text)
  if (checkpoint?.origin !== origin) throw new InconsistentLogError(`the checkpoint is not one of ${origin}`)
  return { note, head: { size: checkpoint.size, root: checkpoint.root } }
}

/**
 * The right edge of the tree with the largest of `heads` (none: the empty tree), read from tiles, whose root must be
 * that head's, and each smaller head's root that of the same tree. Throws {@link InconsistentLogError}.
 */
export async function recoverEdge(store: Pick<TileStore, 'read'>, heads: readonly TreeHead[]): Promise<EdgeState> {
  const size = Math.max(0, ...heads.map((head) => head.size))
  const read = tileNodeReader(store, size)
  try {
    for (const head of heads) {
      if (equalBytes(await treeRoot(head.size, read), head.root)) continue
      throw new InconsistentLogError(`the tiles do not have the root that was signed at ${head.size} leaves`)
    }
    if (size === 0) return EMPTY_EDGE
    const tiles = await partialTiles(store, size)
    const entries = await partialBundle(store, size)
    const agree = entries.every((entry, i) => equalBytes(leafHash(entry), tiles[0]?.[i] ?? new Uint8Array(0)))
    if (!agree) throw new InconsistentLogError('the last entry bundle does not hash to the last tile')
    return { size, roots: await frontierRoots(size, read), tiles, entries }
  } catch (error) {
    if (!(error instanceof TileMissingError)) throw error
    throw new InconsistentLogError(`a tree of ${size} leaves was signed, but ${error.message}`, { cause: error })
  }
}

/**
 * The entries of bundle `index` as far as the store holds them, signed or not. A crash between bundle and checkpoint
 * leaves partial bundles of any width, so every width is tried, the widest first.
 */
export async function widestBundle(store: Pick<TileStore, 'read'>, index: number): Promise<Uint8Array[]> {
  for (let width = TILE_WIDTH; width > 0; width--) {
    const path = tilePath({ level: 'entries', index, width })
    const bytes = await store.read(path)
    if (bytes === undefined) continue
    const entries = decodeBundle(bytes)
    if (entries?.length !== width) throw new InconsistentLogError(`${path} is damaged`)
    return entries
  }
  return []
}

/** Where the entries end that the store holds from `size` on without a hole. */
export async function endOfEntries(store: Pick<TileStore, 'read'>, size: number): Promise<number> {
  for (let index = Math.floor(size / TILE_WIDTH); ; index++) {
    const { length } = await widestBundle(store, index)
    if (length < TILE_WIDTH) return Math.max(size, index * TILE_WIDTH + length)
  }
}

async function partialTiles(store: Pick<TileStore, 'read'>, size: number): Promise<Uint8Array[][]> {
  const tiles: Uint8Array[][] = []
  for (let level = 0; tileWidth(level, 0, size) > 0; level++) {
    const index = Math.floor(size / TILE_WIDTH ** (level + 1))
    const width = tileWidth(level, index, size)
    if (width === 0) {
      tiles.push([])
      continue
    }
    const address = { level, index, width }
    const hashes = tileHashes(await readTile(store, address), width)
    if (hashes === undefined) throw new TileMissingError(tilePath(address))
    tiles.push(hashes)
  }
  return tiles
}

async function partialBundle(store: Pick<TileStore, 'read'>, size: number): Promise<Uint8Array[]> {
  const width = size % TILE_WIDTH
  if (width === 0) return []
  const address = { level: 'entries', index: Math.floor(size / TILE_WIDTH), width } as const
  const entries = bundleEntries(await readTile(store, address), width)
  if (entries === undefined) throw new TileMissingError(tilePath(address))
  return entries
}
