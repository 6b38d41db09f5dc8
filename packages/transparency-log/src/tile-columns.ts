import { equalBytes } from './bytes.ts'
import type { FindingList } from './finding-list.ts'
import { TILE_WIDTH, tilePath, tileWidth } from './tile-path.ts'
import { readTile, tileHashes } from './tile-reader.ts'
import type { TileStore } from './tile-store.ts'

/** The tiles above level 0, a current one for each level, against which the computed tree is held while it grows. */
export type TileColumns = {
  /** Loads the tiles that the nodes completed by level-0 tile `index` belong to. */
  prepare(index: number): Promise<void>
  /** The stored hash over full level-0 tile `index`; `undefined` where it cannot be had. After `prepare(index)`. */
  parentOf(index: number): Uint8Array | undefined
  /** Compares a node that has been computed with the one stored. Only levels 8, 16, … are stored. */
  check(level: number, index: number, hash: Uint8Array): void
}

type Column = { index: number; hashes: readonly Uint8Array[] | undefined; reported: boolean }

/** For the tree of `size` leaves in `store`. */
export function tileColumns(store: Pick<TileStore, 'read'>, size: number, findings: FindingList): TileColumns {
  const columns = new Map<number, Column>()

  async function load(level: number, index: number): Promise<void> {
    if (columns.get(level)?.index === index) return
    const address = { level, index, width: tileWidth(level, index, size) }
    if (address.width === 0) return
    const tile = await readTile(store, address)
    const hashes = tileHashes(tile, address.width)
    columns.set(level, { index, hashes, reported: false })
    if (hashes !== undefined) return
    const span = TILE_WIDTH ** level
    const from = index * TILE_WIDTH * span
    const place = { path: tilePath(address), from, to: Math.min(size, from + address.width * span) }
    findings.add({ kind: tile === undefined ? 'missing' : 'changed', what: 'tile', ...place })
  }

  return {
    async prepare(index) {
      for (let level = 1, at = Math.floor(index / TILE_WIDTH); TILE_WIDTH ** level <= size; level++) {
        await load(level, at)
        at = Math.floor(at / TILE_WIDTH)
      }
    },
    parentOf: (index) => columns.get(1)?.hashes?.[index % TILE_WIDTH],
    check(nodeLevel, index, hash) {
      const level = nodeLevel / 8
      const column = columns.get(level)
      const stored = column?.hashes?.[index % TILE_WIDTH]
      if (column === undefined || stored === undefined || column.reported || equalBytes(stored, hash)) return
      column.reported = true
      const path = tilePath({ level, index: column.index, width: tileWidth(level, column.index, size) })
      const span = TILE_WIDTH ** level
      findings.add({ kind: 'changed', what: 'tile', path, from: index * span, to: (index + 1) * span })
    },
  }
}
