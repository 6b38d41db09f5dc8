import { decodeBundle } from './entry-bundle.ts'
import { frontier } from './frontier.ts'
import { HASH_BYTES } from './merkle-hash.ts'
import type { NodeReader } from './proofs.ts'
import { TILE_WIDTH, type TileAddress, tilePath, tileWidth } from './tile-path.ts'
import type { TileStore } from './tile-store.ts'

/** Tile hashes kept in memory at once: enough for a proof in a tree of 2^53 leaves (7 tiles) twice over. */
const CACHED_TILES = 16

/** A tile or bundle that should be there is absent, or not as long as it must be. */
export class TileMissingError extends Error {
  override readonly name = 'TileMissingError'
  readonly path: string

  constructor(path: string) {
    super(`${path} is missing or damaged`)
    this.path = path
  }
}

/** A tile or bundle as it is stored: `width` is what its path promises, which may be more than was asked for. */
export type StoredTile = { readonly bytes: Uint8Array; readonly width: number }

/**
 * Reads a tile or bundle. A partial one that has been dropped since is looked for in the full one, as tlog-tiles lets
 * clients do; whoever asked cuts it to the width they asked for.
 */
export async function readTile(store: Pick<TileStore, 'read'>, address: TileAddress): Promise<StoredTile | undefined> {
  const exact = await store.read(tilePath(address))
  if (exact !== undefined) return { bytes: exact, width: address.width }
  if (address.width === TILE_WIDTH) return undefined
  const full = await store.read(tilePath({ ...address, width: TILE_WIDTH }))
  return full && { bytes: full, width: TILE_WIDTH }
}

/** The first `width` hashes of a tile; `undefined` where it is absent or not exactly as long as its path promises. */
export function tileHashes(tile: StoredTile | undefined, width: number): Uint8Array[] | undefined {
  if (tile === undefined || tile.bytes.length !== tile.width * HASH_BYTES) return undefined
  return Array.from({ length: width }, (_, i) => tile.bytes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES))
}

/** The first `width` entries of a bundle; `undefined` where it is absent or does not hold as many as its path promises. */
export function bundleEntries(bundle: StoredTile | undefined, width: number): Uint8Array[] | undefined {
  const entries = bundle && decodeBundle(bundle.bytes)
  return entries?.length === bundle?.width ? entries?.slice(0, width) : undefined
}

/**
 * Reads nodes of the tree of `size` leaves out of the tiles in `store`. It believes the tiles: whoever uses what it
 * gives checks the outcome against a signed root. Throws {@link TileMissingError}.
 */
export function tileNodeReader(store: Pick<TileStore, 'read'>, size: number): NodeReader {
  const cache = new Map<string, Uint8Array[]>()

  async function hashes(level: number, index: number): Promise<Uint8Array[]> {
    const address = { level, index, width: tileWidth(level, index, size) }
    const path = tilePath(address)
    const cached = cache.get(path)
    if (cached !== undefined) return cached
    const read = tileHashes(await readTile(store, address), address.width)
    if (read === undefined) throw new TileMissingError(path)
    for (const oldest of cache.keys()) {
      if (cache.size < CACHED_TILES) break
      cache.delete(oldest)
    }
    cache.set(path, read)
    return read
  }

  return async (level, index) => {
    if ((index + 1) * 2 ** level > size) throw new RangeError(`no node ${level}/${index} in a tree of ${size}`)
    const tileLevel = Math.floor(level / 8)
    const spread = 2 ** (level % 8)
    const first = index * spread
    const tile = await hashes(tileLevel, Math.floor(first / TILE_WIDTH))
    const top = frontier()
    for (const hash of tile.slice(first % TILE_WIDTH, (first % TILE_WIDTH) + spread)) top.push(hash)
    return top.root()
  }
}
