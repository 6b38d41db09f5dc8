import { parseCheckpoint } from './checkpoint.ts'
import { openHandover } from './handover.ts'
import { parseLeaf } from './leaf.ts'
import { parseNote } from './note.ts'
import type { NoteVerifier } from './note-keys.ts'
import { openNote } from './signed-note.ts'
import { TILE_WIDTH, tileWidth } from './tile-path.ts'
import { bundleEntries, readTile } from './tile-reader.ts'
import type { TileStore } from './tile-store.ts'

/** Which keys may have signed a log, and up to which size: those that are trusted, and those that the log's handovers add. */
export type KeyChain = {
  /** Every key that may have signed something of this log. */
  readonly keys: readonly NoteVerifier[]
  /** Whether a checkpoint of `size` leaves may be signed by `key`: not beyond the handover by which it was given up. */
  covers(key: NoteVerifier, size: number): boolean
}

/** A handover as its checkpoint proves it: `size` leaves, the last of which is the handover, signed by both. */
type Link = { readonly from: NoteVerifier; readonly to: NoteVerifier; readonly size: number }

/**
 * Goes from the trusted keys to those before and after them, over the handovers in which `notes` (checkpoints of the log) end. That the
 * handover is in the tree at all, the verification of those checkpoints' roots says; here it is enough that both keys signed it twice.
 */
export async function keyChain(
  store: Pick<TileStore, 'read'>,
  origin: string,
  trusted: readonly NoteVerifier[],
  notes: readonly Uint8Array[],
): Promise<KeyChain> {
  const links: Link[] = []
  for (const note of notes) {
    const link = await linkIn(store, origin, note)
    if (link !== undefined) links.push(link)
  }
  const known = new Map(trusted.map((key) => [key.vkey, key]))
  for (let before = -1; before < known.size; ) {
    before = known.size
    for (const { from, to } of links) {
      if (!known.has(from.vkey) && !known.has(to.vkey)) continue
      for (const key of [from, to]) known.set(key.vkey, known.get(key.vkey) ?? key)
    }
  }
  const givenUpAt = new Map<string, number>()
  for (const { from, size } of links) givenUpAt.set(from.vkey, Math.max(size, givenUpAt.get(from.vkey) ?? 0))
  return {
    keys: [...known.values()],
    covers: (key, size) => size <= (givenUpAt.get(key.vkey) ?? Number.POSITIVE_INFINITY),
  }
}

async function linkIn(store: Pick<TileStore, 'read'>, origin: string, note: Uint8Array): Promise<Link | undefined> {
  const parsed = parseNote(note)
  const checkpoint = parsed && parseCheckpoint(parsed.text)
  // Every other checkpoint is signed by one key of the log: only these few are worth a look at their last entry.
  const isBySeveral = (parsed?.signatures.filter(({ name }) => name === origin).length ?? 0) > 1
  if (checkpoint === undefined || !isBySeveral || checkpoint.size === 0) return undefined
  const last = await lastEntry(store, checkpoint.size)
  const leaf = last && parseLeaf(last)
  const keys = leaf?.kind === 'handover' ? openHandover(leaf.handover, origin) : undefined
  if (keys === undefined) return undefined
  const opened = openNote(note, [keys.from, keys.to])
  return opened.ok && opened.by.length === 2 ? { ...keys, size: checkpoint.size } : undefined
}

async function lastEntry(store: Pick<TileStore, 'read'>, size: number): Promise<Uint8Array | undefined> {
  const index = Math.floor((size - 1) / TILE_WIDTH)
  const width = tileWidth('entries', index, size)
  return bundleEntries(await readTile(store, { level: 'entries', index, width }), width)?.at(-1)
}
