import { TILE_WIDTH, tileWidth } from './tile-path.ts'
import { bundleEntries, readTile } from './tile-reader.ts'
import type { TileStore } from './tile-store.ts'

/**
 * The entries of a log of `size` leaves from `from` on, in order, believed as they are: whoever uses them has verified the log, or
 * checks each against a proof. `undefined` for each entry of a bundle that is missing or damaged.
 */
export async function* readEntries(
  store: Pick<TileStore, 'read'>,
  size: number,
  from = 0,
): AsyncGenerator<Uint8Array | undefined> {
  for (let at = from; at < size; at += TILE_WIDTH - (at % TILE_WIDTH)) {
    const index = Math.floor(at / TILE_WIDTH)
    const width = tileWidth('entries', index, size)
    const entries = bundleEntries(await readTile(store, { level: 'entries', index, width }), width)
    for (let i = at % TILE_WIDTH; i < width; i++) yield entries?.[i]
  }
}
