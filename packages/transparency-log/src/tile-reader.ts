import { frontier } from './frontier.ts'
import { HASH_BYTES } from './merkle-hash.ts'
import type { NodeReader } from './proofs.ts'
import { TILE_WIDTH, type TileAddress, tilePath, tileWidth } from './tile-path.ts'
import type { TileStore } from './tile-store.ts'

/** Tile hashes kept in memory at once: enough for a proof in a tree of 2^53 leaves (7 tiles) twice over. */
const CACHED_TILES = 16

/** A tile or bundle that should be there is absent, or too short. */
export class TileMissingError extends Error {
  override readonly name = 'TileMissingError'
  readonly path: string

  constructor(path: string) {
    super(`${path} is missing or too short`)
    this.path = path
  }
}

/**
 * The bytes of a tile or bundle. A partial one that has been dropped since is looked for in the full one, as tlog-tiles
 * lets clients do; the caller cuts it to `width`.
 */
export async function readTile(store: Pick<TileStore, 'read'>, address: TileAddress): Promise<Uint8Array | undefined> {
  const exact = await store.read(tilePath(address))
  if (exact !== undefined || address.width === TILE_WIDTH) return exact
  return store.read(tilePath({ ...address, width: TILE_WIDTH }))
}

/** The hashes of a tile, cut to `width`; `undefined` where the bytes are not at least that many whole hashes. */
export function tileHashes(tile: Uint8Array, width: number): Uint8Array[] | undefined {
  if (tile.length % HASH_BYTES !== 0 || tile.length < width * HASH_BYTES || tile.length > TILE_WIDTH * HASH_BYTES) {
    return undefined
  }
  return Array.from({ length: width }, (_, i) => tile.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES))
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
    const tile = await readTile(store, address)
    const read = tile === undefined ? undefined : tileHashes(tile, address.width)
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
