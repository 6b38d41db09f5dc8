import { parseCheckpoint } from './checkpoint.ts'
import { parseNote } from './note.ts'
import { parseIndexPath, TILE_WIDTH, type TileAddress, tilePath, tileWidth } from './tile-path.ts'
import { readTile, TileMissingError } from './tile-reader.ts'
import { CHECKPOINT_PATH, KEPT_CHECKPOINTS, type ReadableStore, type TileStore } from './tile-store.ts'

export type CopyOptions = {
  /** The checkpoint that the copy shall end at: one of the log's own. */
  readonly note: Uint8Array
  /** Entries below are left out, by whole bundles; their hashes are copied. */
  readonly from: number
}

/**
 * Copies a log as it was at one of its checkpoints: the outcome is a log of its own, smaller than the first and a beginning of it, that is
 * verified like any other. Returns its size. Throws {@link TileMissingError}; RangeError where the note is no checkpoint.
 */
export async function copyLog(source: ReadableStore, target: TileStore, { note, from }: CopyOptions): Promise<number> {
  const size = sizeOf(note)
  const copy = async (address: TileAddress): Promise<void> => {
    const tile = await readTile(source, address)
    if (tile === undefined) throw new TileMissingError(tilePath(address))
    // A full one stands in for a partial one that was dropped (C2SP tlog-tiles): readers cut it to what they need.
    await target.write(tilePath({ ...address, width: tile.width }), tile.bytes)
  }
  for (let index = Math.floor(from / TILE_WIDTH); tileWidth('entries', index, size) > 0; index++) {
    await copy({ level: 'entries', index, width: tileWidth('entries', index, size) })
  }
  for (let level = 0; tileWidth(level, 0, size) > 0; level++) {
    for (let index = 0; tileWidth(level, index, size) > 0; index++) {
      await copy({ level, index, width: tileWidth(level, index, size) })
    }
  }
  await copyNotes(source, target, size)
  await target.write(CHECKPOINT_PATH, note)
  return size
}

/** The checkpoints that were kept up to `size`, and what was pruned before: from which the keys of the log follow. */
async function copyNotes(source: ReadableStore, target: TileStore, size: number): Promise<void> {
  for (const folder of [KEPT_CHECKPOINTS, 'pruned']) {
    for await (const path of source.list(folder)) {
      const index = parseIndexPath(path.slice(folder.length + 1))
      const bytes = index !== undefined && index <= size ? await source.read(path) : undefined
      if (bytes !== undefined) await target.write(path, bytes)
    }
  }
}

/** The smallest kept checkpoint of at least `size` leaves, else the present one; `undefined` where that is smaller, too. */
export async function checkpointFrom(source: ReadableStore, size: number): Promise<Uint8Array | undefined> {
  let best: { size: number; note: Uint8Array } | undefined
  const consider = async (path: string): Promise<void> => {
    const note = await source.read(path)
    if (note === undefined) return
    const found = sizeOf(note)
    if (found >= size && found < (best?.size ?? Number.POSITIVE_INFINITY)) best = { size: found, note }
  }
  for await (const path of source.list(KEPT_CHECKPOINTS)) await consider(path)
  await consider(CHECKPOINT_PATH)
  return best?.note
}

/** Reads from the first that has it: a log from which entries were pruned, and the archives that hold them. */
export function overlay(stores: readonly ReadableStore[]): ReadableStore {
  const [first] = stores
  return {
    async read(path) {
      for (const store of stores) {
        const bytes = await store.read(path)
        if (bytes !== undefined) return bytes
      }
      return undefined
    },
    list: (folder) => (first ?? NOTHING).list(folder),
  }
}

const NOTHING: Pick<ReadableStore, 'list'> = { async *list() {} }

function sizeOf(note: Uint8Array): number {
  const text = parseNote(note)?.text
  const checkpoint = text === undefined ? undefined : parseCheckpoint(text)
  if (checkpoint === undefined) throw new RangeError('not a checkpoint')
  return checkpoint.size
}
