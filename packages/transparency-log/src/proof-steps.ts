/**
 * In which order and on which side the hashes of a proof are combined (RFC 9162 §2.1.3.2 and §2.1.4.2). That alone
 * depends on numbers, so Node (hashing at once) and the browser (hashing by promise) share it.
 */

/** Longest proof that is read: trees stay below 2^53 leaves here, and below 2^63 in the specifications. */
export const MAX_PROOF_HASHES = 63

/** Side on which the next hash of the proof stands. */
export type Side = 'left' | 'right'

/**
 * For the leaf at `index` of a tree of `size` leaves: where each hash of its inclusion proof stands, from the leaf up.
 * The length of the list is the length the proof must have. `undefined` where the tree has no such leaf.
 */
export function inclusionSteps(index: number, size: number): Side[] | undefined {
  if (!isSize(index) || !isSize(size) || index >= size) return undefined
  return climb(index, size - 1)
}

/**
 * For a consistency proof between trees of `oldSize` and `newSize` leaves (0 < oldSize < newSize). Its first hash (or
 * the old root itself, where `startsFromOldRoot`) starts both sums; a `left` hash goes before both, a `right` one
 * behind the new one only. `undefined` outside those bounds.
 */
export function consistencySteps(
  oldSize: number,
  newSize: number,
): { startsFromOldRoot: boolean; steps: Side[] } | undefined {
  if (!isSize(oldSize) || !isSize(newSize) || oldSize === 0 || oldSize >= newSize) return undefined
  let node = oldSize - 1
  let last = newSize - 1
  while (node % 2 === 1) {
    node = half(node)
    last = half(last)
  }
  return { startsFromOldRoot: node === 0, steps: climb(node, last) }
}

/** From a node to the root of a tree whose last node on that level is `last`. Levels without a sibling are passed over. */
function climb(start: number, end: number): Side[] {
  const steps: Side[] = []
  let node = start
  let last = end
  while (last > 0) {
    if (node % 2 === 1 || node === last) {
      steps.push('left')
      while (node % 2 === 0 && node > 0) {
        node = half(node)
        last = half(last)
      }
    } else {
      steps.push('right')
    }
    node = half(node)
    last = half(last)
  }
  return steps
}

function half(value: number): number {
  return Math.floor(value / 2)
}

function isSize(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0
}
