import { compareBundle } from './bundle-compare.ts'
import { equalBytes } from './bytes.ts'
import { salvageBundle } from './entry-bundle.ts'
import type { Finding } from './finding.ts'
import type { FindingList } from './finding-list.ts'
import { leafHash } from './merkle-hash.ts'
import { TILE_WIDTH, tilePath } from './tile-path.ts'
import { readTile, type StoredTile, tileHashes } from './tile-reader.ts'
import type { TileStore } from './tile-store.ts'

/** Entries found in the wrong place that are remembered, so that a swap between bundles can be told from a change. */
const MAX_STRAYS = 10_000

/** A level-0 tile of `width` hashes and its bundle, as the store has them; `undefined` parts are absent. */
export type TileFiles = {
  readonly index: number
  readonly width: number
  readonly tile: StoredTile | undefined
  readonly bundle: StoredTile | undefined
}

/** What is to be made of a tile: the leaf hashes that go into the tree, and the entries that have them (in their places). */
export type TileVerdict = {
  readonly hashes: readonly Uint8Array[] | undefined
  readonly entries: readonly (Uint8Array | undefined)[]
}

/** Says which of two lists of leaf hashes the tree above agrees with; `undefined` where it cannot tell. */
export type Arbiter = (
  stored: readonly Uint8Array[],
  computed: readonly Uint8Array[],
) => 'stored' | 'computed' | undefined

/** Reads what there is of level-0 tile `index` in a tree where it has `width` hashes. */
export async function readTileFiles(store: Pick<TileStore, 'read'>, index: number, width: number): Promise<TileFiles> {
  const [tile, bundle] = await Promise.all([
    readTile(store, { level: 0, index, width }),
    readTile(store, { level: 'entries', index, width }),
  ])
  return { index, width, tile, bundle }
}

/** Compares bundles with their tiles, one after the other, and reports where and how they differ. */
export type TileAudit = {
  audit(files: TileFiles, arbiter: Arbiter): TileVerdict
  /** After the last tile of a log of `size` leaves, whose checkpoint is at `path`. */
  finish(size: number, path: string): void
}

/** Bundles and tiles that end at or before `minimumIndex` may have been pruned (C2SP tlog-tiles, "Pruning"). */
export function tileAudit(minimumIndex: number, findings: FindingList): TileAudit {
  const strays: { index: number; tree: string; entry: string; path: string }[] = []
  /** Where the entries ended, and what is missing since, as long as none came after: the end, or only a hole. */
  let absentFrom: number | undefined
  let absent: Finding[] = []

  const bundlePath = (files: TileFiles): string => tilePath({ ...files, level: 'entries' })
  const start = (files: TileFiles): number => files.index * TILE_WIDTH
  const isPruned = (files: TileFiles): boolean => start(files) + TILE_WIDTH <= minimumIndex

  function leaveOut(what: 'leaf' | 'bundle', path: string, from: number, to: number): void {
    absentFrom ??= from
    // They are listed by file; past a thousand nobody reads the list.
    if (absent.length < 1000) absent.push({ kind: 'missing', what, path, from, to })
  }

  /** Entries are there again, so what is missing before them is a hole. */
  function closeHole(): void {
    for (const finding of absent) findings.add(finding)
    absentFrom = undefined
    absent = []
  }

  function storedHashes(files: TileFiles): Uint8Array[] | undefined {
    const stored = tileHashes(files.tile, files.width)
    if (stored !== undefined || (files.tile === undefined && isPruned(files))) return stored
    const path = tilePath({ ...files, level: 0 })
    const place = { what: 'tile', path, from: start(files), to: start(files) + files.width } as const
    findings.add({ kind: files.tile === undefined ? 'missing' : 'changed', ...place })
    return undefined
  }

  function readEntries(files: TileFiles): Uint8Array[] | undefined {
    const place = { path: bundlePath(files), from: start(files), to: start(files) + files.width }
    if (files.bundle === undefined) {
      if (!isPruned(files)) leaveOut('bundle', place.path, place.from, place.to)
      return undefined
    }
    closeHole()
    const { entries, whole } = salvageBundle(files.bundle.bytes)
    if (!whole && entries.length >= files.bundle.width) {
      findings.add({ kind: 'changed', what: 'inserted', path: place.path, from: place.to, to: place.to })
    }
    // A full bundle stands in for a partial one that was dropped; a partial one is not to hold more than it says.
    return files.bundle.width > files.width ? entries.slice(0, files.width) : entries
  }

  function withoutTile(files: TileFiles, entries: Uint8Array[], computed: Uint8Array[]): TileVerdict {
    if (computed.length >= files.width) return { hashes: computed.slice(0, files.width), entries }
    leaveOut('leaf', bundlePath(files), start(files) + computed.length, start(files) + files.width)
    return { hashes: undefined, entries }
  }

  function reportDifferences(files: TileFiles, tree: readonly string[], entries: readonly string[]): void {
    const path = bundlePath(files)
    const at = start(files)
    const { changed, moved, missing, inserted } = compareBundle(tree, entries)
    for (const { at: place, to } of moved) {
      findings.add({ kind: 'reordered', from: at + place, to: at + place + 1, belongsAt: at + to, path })
    }
    for (const place of inserted)
      findings.add({ kind: 'changed', what: 'inserted', path, from: at + place, to: at + place })
    for (const place of changed) {
      const stray = { index: at + place, tree: tree[place] ?? '', entry: entries[place] ?? '', path }
      if (strays.length < MAX_STRAYS) strays.push(stray)
      else findings.add({ kind: 'changed', what: 'leaf', path, from: stray.index, to: stray.index + 1 })
    }
    for (const { from, to } of missing) {
      if (to === files.width) leaveOut('leaf', path, at + from, at + to)
      else findings.add({ kind: 'missing', what: 'leaf', path, from: at + from, to: at + to })
    }
  }

  return {
    audit(files, arbiter) {
      const stored = storedHashes(files)
      const entries = readEntries(files)
      const computed = entries?.map(leafHash)
      if (entries === undefined || computed === undefined) return { hashes: stored, entries: [] }
      if (stored === undefined) return withoutTile(files, entries, computed)
      if (sameHashes(stored, computed)) return { hashes: computed, entries }
      if (computed.length === files.width && arbiter(stored, computed) === 'computed') {
        const path = tilePath({ ...files, level: 0 })
        findings.add({ kind: 'changed', what: 'tile', path, from: start(files), to: start(files) + files.width })
        return { hashes: computed, entries }
      }
      const tree = stored.map(toHex)
      reportDifferences(files, tree, computed.map(toHex))
      const byHash = new Map(entries.map((entry, i) => [toHex(computed[i] as Uint8Array), entry]))
      return { hashes: stored, entries: tree.map((hash) => byHash.get(hash)) }
    },
    finish(size, path) {
      if (absentFrom !== undefined) findings.add({ kind: 'truncated', size: absentFrom, expected: size, path })
      const places = new Map(strays.map(({ tree, index }) => [tree, index]))
      for (const stray of strays) {
        const range = { path: stray.path, from: stray.index, to: stray.index + 1 }
        const belongsAt = places.get(stray.entry)
        if (belongsAt === undefined) findings.add({ kind: 'changed', what: 'leaf', ...range })
        else findings.add({ kind: 'reordered', belongsAt, ...range })
      }
    },
  }
}

function sameHashes(a: readonly Uint8Array[], b: readonly Uint8Array[]): boolean {
  return a.length === b.length && a.every((hash, i) => equalBytes(hash, b[i] as Uint8Array))
}

function toHex(hash: Uint8Array): string {
  return Buffer.from(hash.buffer, hash.byteOffset, hash.length).toString('hex')
}
