import { TILE_WIDTH } from './tile-path.ts'

/** Entry bundles (C2SP tlog-tiles, "Log entries"): entries one after the other, each behind its length as big-endian uint16. */

/** Longest entry a bundle can hold, in bytes. */
export const MAX_ENTRY_BYTES = 65_535

/** A full bundle of audit events needs a little less. */
const FIRST_ROOM = 131_072

/** A bundle that grows at its end. What it has given of itself does not change. */
export type GrowingBundle = {
  readonly count: number
  /** Appends an entry. Throws RangeError where the bundle is full, or the entry longer than 65,535 bytes. */
  push(entry: Uint8Array): void
  /** The bundle of the entries so far. */
  bytes(): Uint8Array
}

/** Begins with `entries`. */
export function growingBundle(entries: readonly Uint8Array[] = []): GrowingBundle {
  let room = Buffer.allocUnsafe(FIRST_ROOM)
  let at = 0
  let count = 0

  function push(entry: Uint8Array): void {
    if (count === TILE_WIDTH) throw new RangeError('a bundle holds 1 to 256 entries')
    if (entry.length > MAX_ENTRY_BYTES) throw new RangeError(`an entry of ${entry.length} bytes: 65535 is the most`)
    if (at + 2 + entry.length > room.length) {
      // Another one, and the old one as it is: it may be on its way into a file.
      const more = Buffer.allocUnsafe(Math.max(2 * room.length, at + 2 + entry.length))
      room.copy(more, 0, 0, at)
      room = more
    }
    at = room.writeUInt16BE(entry.length, at)
    room.set(entry, at)
    at += entry.length
    count += 1
  }
  for (const entry of entries) push(entry)

  return {
    get count() {
      return count
    },
    push,
    bytes: () => room.subarray(0, at),
  }
}

/**
 * The entries of a bundle, as views into it. `undefined` where the bytes do not end with an entry, or hold more than 256.
 */
export function decodeBundle(bundle: Uint8Array): Uint8Array[] | undefined {
  const { entries, whole } = salvageBundle(bundle)
  return whole ? entries : undefined
}

/** The entries at the beginning of a bundle that may be damaged, at most 256, and whether they are all there is. */
export function salvageBundle(bundle: Uint8Array): { entries: Uint8Array[]; whole: boolean } {
  const entries: Uint8Array[] = []
  let at = 0
  while (at + 2 <= bundle.length && entries.length < TILE_WIDTH) {
    const start = at + 2
    const end = start + (bundle[at] as number) * 256 + (bundle[at + 1] as number)
    if (end > bundle.length) break
    entries.push(bundle.subarray(start, end))
    at = end
  }
  return { entries, whole: at === bundle.length }
}
