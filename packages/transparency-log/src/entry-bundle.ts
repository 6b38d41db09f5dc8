import { TILE_WIDTH } from './tile-path.ts'

/** Entry bundles (C2SP tlog-tiles, "Log entries"): entries one after the other, each behind its length as big-endian uint16. */

/** Longest entry a bundle can hold, in bytes. */
export const MAX_ENTRY_BYTES = 65_535

/** The bundle of 1 … 256 `entries`. Throws RangeError where there are more, or one is longer than 65,535 bytes. */
export function encodeBundle(entries: readonly Uint8Array[]): Uint8Array {
  if (entries.length === 0 || entries.length > TILE_WIDTH) throw new RangeError('a bundle holds 1 to 256 entries')
  const bundle = Buffer.allocUnsafe(entries.reduce((length, entry) => length + 2 + entry.length, 0))
  let at = 0
  for (const entry of entries) {
    if (entry.length > MAX_ENTRY_BYTES) throw new RangeError(`an entry of ${entry.length} bytes: 65535 is the most`)
    at = bundle.writeUInt16BE(entry.length, at)
    bundle.set(entry, at)
    at += entry.length
  }
  return bundle
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
