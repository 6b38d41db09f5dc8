import { equalBytes } from './bytes.ts'
import { frontier, subtreeLevels } from './frontier.ts'
import { EMPTY_ROOT, HASH_BYTES, nodeHash } from './merkle-hash.ts'
import { consistencySteps, inclusionSteps } from './proof-steps.ts'

/** Making and checking inclusion and consistency proofs (RFC 6962 §2.1.1, §2.1.2; checking as RFC 9162 §2.1.3.2, §2.1.4.2). */

/** Gives the roots of perfect subtrees: leaves `index * 2^level` up to `(index + 1) * 2^level`. Throws where it has none. */
export type NodeReader = (level: number, index: number) => Promise<Uint8Array>

/** Whether `proof` shows the leaf with hash `leaf` at `index` of the tree of `size` leaves with root `root`. Never throws. */
export function verifyInclusion(
  leaf: Uint8Array,
  index: number,
  size: number,
  proof: readonly Uint8Array[],
  root: Uint8Array,
): boolean {
  const steps = inclusionSteps(index, size)
  if (steps === undefined || steps.length !== proof.length || !areHashes([leaf, ...proof])) return false
  const top = proof.reduce((at, hash, i) => (steps[i] === 'left' ? nodeHash(hash, at) : nodeHash(at, hash)), leaf)
  return equalBytes(top, root)
}

/**
 * Whether `proof` shows that the tree of `newSize` leaves extends the one of `oldSize`. Equal sizes need equal roots and
 * an empty proof; from the empty tree everything follows, by an empty proof. Never throws.
 */
export function verifyConsistency(
  oldSize: number,
  oldRoot: Uint8Array,
  newSize: number,
  newRoot: Uint8Array,
  proof: readonly Uint8Array[],
): boolean {
  if (oldSize === newSize) return proof.length === 0 && equalBytes(oldRoot, newRoot)
  if (oldSize === 0)
    return proof.length === 0 && equalBytes(oldRoot, EMPTY_ROOT) && Number.isSafeInteger(newSize) && newSize > 0
  const plan = consistencySteps(oldSize, newSize)
  if (plan === undefined) return false
  const [start, ...rest] = plan.startsFromOldRoot ? [oldRoot, ...proof] : proof
  if (start === undefined || rest.length !== plan.steps.length || !areHashes([start, ...rest])) return false
  let before = start
  let after = start
  for (const [i, hash] of rest.entries()) {
    if (plan.steps[i] === 'left') {
      before = nodeHash(hash, before)
      after = nodeHash(hash, after)
    } else {
      after = nodeHash(after, hash)
    }
  }
  return equalBytes(before, oldRoot) && equalBytes(after, newRoot)
}

/** The inclusion proof PATH(index, D[0:size]), from the leaf's sibling up. Throws RangeError unless 0 <= index < size. */
export async function inclusionProof(index: number, size: number, read: NodeReader): Promise<Uint8Array[]> {
  if (inclusionSteps(index, size) === undefined) throw new RangeError(`no leaf ${index} in a tree of ${size}`)
  const proof: Uint8Array[] = []
  let start = 0
  let end = size
  while (end - start > 1) {
    const middle = start + splitPoint(end - start)
    if (index < middle) {
      proof.unshift(await subtreeRoot(middle, end, read))
      end = middle
    } else {
      proof.unshift(await subtreeRoot(start, middle, read))
      start = middle
    }
  }
  return proof
}

/** The consistency proof PROOF(oldSize, D[0:newSize]); empty for equal sizes and for oldSize 0. Throws RangeError if oldSize > newSize. */
export async function consistencyProof(oldSize: number, newSize: number, read: NodeReader): Promise<Uint8Array[]> {
  if (!(oldSize >= 0 && oldSize <= newSize)) throw new RangeError(`no consistency proof from ${oldSize} to ${newSize}`)
  if (oldSize === 0 || oldSize === newSize) return []
  const proof: Uint8Array[] = []
  let start = 0
  let end = newSize
  while (oldSize < end) {
    const middle = start + splitPoint(end - start)
    if (oldSize <= middle) {
      proof.unshift(await subtreeRoot(middle, end, read))
      end = middle
    } else {
      proof.unshift(await subtreeRoot(start, middle, read))
      start = middle
    }
  }
  // Where the old tree is itself a perfect subtree on the left edge, whoever checks knows that root already.
  return start === 0 ? proof : [await subtreeRoot(start, end, read), ...proof]
}

/** MTH(D[0:size]) from the roots of its perfect subtrees. */
export async function treeRoot(size: number, read: NodeReader): Promise<Uint8Array> {
  return subtreeRoot(0, size, read)
}

/** The roots of the perfect subtrees of a tree of `size` leaves, largest first: what a {@link frontier} starts from. */
export async function frontierRoots(size: number, read: NodeReader): Promise<Uint8Array[]> {
  return perfectSubtrees(0, size, read)
}

async function subtreeRoot(start: number, end: number, read: NodeReader): Promise<Uint8Array> {
  return frontier(end - start, await perfectSubtrees(start, end, read)).root()
}

/** `start` must be a multiple of the largest power of two within the range, as it is everywhere in RFC 6962 §2.1. */
async function perfectSubtrees(start: number, end: number, read: NodeReader): Promise<Uint8Array[]> {
  const roots: Uint8Array[] = []
  let at = start
  for (const level of subtreeLevels(end - start)) {
    roots.push(await read(level, at / 2 ** level))
    at += 2 ** level
  }
  return roots
}

/** The largest power of two smaller than `size` (size >= 2). */
function splitPoint(size: number): number {
  let power = 1
  while (power * 2 < size) power *= 2
  return power
}

function areHashes(values: readonly Uint8Array[]): boolean {
  return values.every((value) => value.length === HASH_BYTES)
}
