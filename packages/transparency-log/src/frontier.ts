import { EMPTY_ROOT, nodeHash } from './merkle-hash.ts'

/** What is told of each perfect subtree the moment it is complete; `level` 0 is a leaf. */
export type OnNode = (level: number, index: number, hash: Uint8Array) => void

/**
 * The right edge of a Merkle tree: the roots of the perfect subtrees its size is made of, largest first. It is all that
 * is needed to append and to know the root: at most 53 hashes, however long the log.
 */
export type Frontier = {
  readonly size: number
  /** Appends one leaf by its hash. Two hash computations on average at most one per leaf. */
  push(leafHash: Uint8Array): void
  /** Appends a perfect subtree of 2^level leaves. The size must be a multiple of 2^level. */
  pushSubtree(level: number, root: Uint8Array): void
  /** RFC 6962 §2.1 MTH over all leaves so far. */
  root(): Uint8Array
  /** An independent copy that tells no one of its nodes. */
  clone(): Frontier
}

/** Sizes of the perfect subtrees a tree of `size` leaves falls into, as levels, largest first. */
export function subtreeLevels(size: number): number[] {
  const levels: number[] = []
  let level = 0
  for (let rest = size; rest > 0; rest = Math.floor(rest / 2), level++) if (rest % 2 === 1) levels.unshift(level)
  return levels
}

/**
 * A frontier of `size` leaves whose perfect subtrees have the roots `roots` (as {@link subtreeLevels} orders them);
 * empty by default.
 */
export function frontier(size = 0, roots: readonly Uint8Array[] = [], onNode?: OnNode): Frontier {
  if (!Number.isSafeInteger(size) || size < 0) throw new RangeError('a tree size is a non-negative safe integer')
  if (subtreeLevels(size).length !== roots.length) throw new RangeError('not as many roots as the size has subtrees')
  const stack = [...roots]
  let leaves = size

  function pushSubtree(level: number, root: Uint8Array): void {
    const width = 2 ** level
    if (leaves % width !== 0) throw new RangeError('a subtree starts at a multiple of its width')
    let hash = root
    let at = level
    let index = leaves / width
    leaves += width
    onNode?.(at, index, hash)
    while (index % 2 === 1) {
      hash = nodeHash(stack.pop() as Uint8Array, hash)
      index = (index - 1) / 2
      at++
      onNode?.(at, index, hash)
    }
    stack.push(hash)
  }

  return {
    get size() {
      return leaves
    },
    push: (hash) => pushSubtree(0, hash),
    pushSubtree,
    root: () =>
      stack.reduceRight<Uint8Array | undefined>((right, left) => (right ? nodeHash(left, right) : left), undefined) ??
      EMPTY_ROOT,
    clone: () => frontier(leaves, stack),
  }
}
