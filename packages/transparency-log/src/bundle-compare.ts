/** How the entries of one bundle differ from the hashes the tree has for them. Positions are within the tile. */
export type BundleDifferences = {
  /** Entry `at` has another hash than the tree. */
  readonly changed: readonly number[]
  /** Entry `at` is the one that belongs at `to`. */
  readonly moved: readonly { readonly at: number; readonly to: number }[]
  /** Entries from `from` up to `to` are not there. */
  readonly missing: readonly { readonly from: number; readonly to: number }[]
  /** There is an entry too many before position `at`. */
  readonly inserted: readonly number[]
}

/** Compares hashes as hex: `tree` of the tile, `entries` of the bundle. */
export function compareBundle(tree: readonly string[], entries: readonly string[]): BundleDifferences {
  return tree.length === entries.length ? compareInPlace(tree, entries) : compareShifted(tree, entries)
}

function compareInPlace(tree: readonly string[], entries: readonly string[]): BundleDifferences {
  const wrong = entries.flatMap((hash, at) => (hash === tree[at] ? [] : [at]))
  const places = new Map(wrong.map((at) => [tree[at], at]))
  const changed: number[] = []
  const moved: { at: number; to: number }[] = []
  for (const at of wrong) {
    const to = places.get(entries[at])
    if (to === undefined) changed.push(at)
    else moved.push({ at, to })
  }
  return { changed, moved, missing: [], inserted: [] }
}

/** Walks both at once; where they part, looks which of the two comes back to the other first. */
function compareShifted(tree: readonly string[], entries: readonly string[]): BundleDifferences {
  const changed: number[] = []
  const missing: { from: number; to: number }[] = []
  const inserted: number[] = []
  let at = 0
  let entry = 0
  while (at < tree.length && entry < entries.length) {
    if (tree[at] === entries[entry]) {
      at++
      entry++
      continue
    }
    const later = tree.indexOf(entries[entry] as string, at)
    const ahead = entries.indexOf(tree[at] as string, entry)
    if (later !== -1 && (ahead === -1 || later - at <= ahead - entry)) {
      missing.push({ from: at, to: later })
      at = later
    } else if (ahead !== -1) {
      for (; entry < ahead; entry++) inserted.push(at)
    } else {
      changed.push(at)
      at++
      entry++
    }
  }
  for (; entry < entries.length; entry++) inserted.push(at)
  if (at < tree.length) missing.push({ from: at, to: tree.length })
  return { changed, moved: [], missing, inserted }
}
