import { joinBytes } from './bytes.ts'
import { growingBundle } from './entry-bundle.ts'
import { frontier } from './frontier.ts'
import { leafHash } from './merkle-hash.ts'
import { TILE_WIDTH, tilePath } from './tile-path.ts'

/** A file to be written: a tile or an entry bundle. */
export type LogFile = { readonly path: string; readonly bytes: Uint8Array }

/** What of a tree is not in full tiles yet, as it is read back from a store. */
export type EdgeState = {
  readonly size: number
  /** Roots of the perfect subtrees of the tree, largest first. */
  readonly roots: readonly Uint8Array[]
  /** For each tile level the hashes of its partial tile: floor(size / 256^level) mod 256 of them. */
  readonly tiles: readonly (readonly Uint8Array[])[]
  /** The entries of the partial bundle: size mod 256 of them. */
  readonly entries: readonly Uint8Array[]
}

/** The state of a log without leaves. */
export const EMPTY_EDGE: EdgeState = { size: 0, roots: [], tiles: [], entries: [] }

/** The growing end of a log: takes leaves, gives files. Its memory is a bundle and a tile a level, however long the log. */
export type RightEdge = {
  readonly size: number
  root(): Uint8Array
  /** Appends a leaf and returns the files it completes: none, or a bundle and one or more full tiles, the bundle first. */
  push(leaf: Uint8Array): readonly LogFile[]
  /** The partial bundle and tiles of the present size that no earlier call has given. */
  partials(): readonly LogFile[]
}

/** Goes on from `state`. */
export function rightEdge(state: EdgeState): RightEdge {
  const tiles = state.tiles.map((hashes) => [...hashes])
  const given = new Map<string, number>()
  let bundle = growingBundle(state.entries)
  let completed: LogFile[] = []

  const tree = frontier(state.size, state.roots, (level, index, hash) => {
    if (level % 8 !== 0) return
    const tile = (tiles[level / 8] ??= [])
    tile.push(hash)
    if (tile.length < TILE_WIDTH) return
    const path = tilePath({ level: level / 8, index: Math.floor(index / TILE_WIDTH), width: TILE_WIDTH })
    completed.push({ path, bytes: joinBytes(...tile) })
    tiles[level / 8] = []
  })

  function partial(level: number | 'entries', count: number, bytes: () => Uint8Array): LogFile[] {
    if (count === 0) return []
    const index = Math.floor(tree.size / TILE_WIDTH ** (level === 'entries' ? 1 : level + 1))
    const path = tilePath({ level, index, width: count })
    const place = index * TILE_WIDTH + count
    if (given.get(String(level)) === place) return []
    given.set(String(level), place)
    return [{ path, bytes: bytes() }]
  }

  return {
    get size() {
      return tree.size
    },
    root: () => tree.root(),
    push(leaf) {
      const index = Math.floor(tree.size / TILE_WIDTH)
      completed = []
      bundle.push(leaf)
      tree.push(leafHash(leaf))
      if (bundle.count < TILE_WIDTH) return completed
      const full = { path: tilePath({ level: 'entries', index, width: TILE_WIDTH }), bytes: bundle.bytes() }
      bundle = growingBundle()
      return [full, ...completed]
    },
    partials: () => [
      ...partial('entries', bundle.count, () => bundle.bytes()),
      ...tiles.flatMap((tile, level) => partial(level, tile.length, () => joinBytes(...tile))),
    ],
  }
}
