import { createHash } from 'node:crypto'

/** A Merkle tree straight from the recursive definitions of RFC 6962 §2.1: slow, obvious, and the judge in tests. */
export function naiveTree(leaves: readonly Uint8Array[]) {
  const memory = new Map<string, Buffer>()

  function mth(start: number, end: number): Buffer {
    const key = `${start}:${end}`
    const known = memory.get(key)
    if (known !== undefined) return known
    const hash =
      end === start
        ? sha256()
        : end - start === 1
          ? sha256(Buffer.of(0), leaves[start] as Uint8Array)
          : sha256(Buffer.of(1), mth(start, start + k(end - start)), mth(start + k(end - start), end))
    memory.set(key, hash)
    return hash
  }

  function path(m: number, start: number, end: number): Buffer[] {
    if (end - start === 1) return []
    const middle = start + k(end - start)
    if (m < middle - start) return [...path(m, start, middle), mth(middle, end)]
    return [...path(m - (middle - start), middle, end), mth(start, middle)]
  }

  function subproof(m: number, start: number, end: number, whole: boolean): Buffer[] {
    if (m === end - start) return whole ? [] : [mth(start, end)]
    const middle = start + k(end - start)
    if (m <= middle - start) return [...subproof(m, start, middle, whole), mth(middle, end)]
    return [...subproof(m - (middle - start), middle, end, false), mth(start, middle)]
  }

  return {
    root: (size: number): Uint8Array => mth(0, size),
    inclusion: (index: number, size: number): Uint8Array[] => path(index, 0, size),
    consistency: (oldSize: number, newSize: number): Uint8Array[] =>
      oldSize === 0 ? [] : subproof(oldSize, 0, newSize, true),
    /** The perfect subtree of 2^level leaves at `index`. */
    node: (level: number, index: number): Uint8Array => mth(index * 2 ** level, (index + 1) * 2 ** level),
  }
}

/** The largest power of two smaller than n. */
function k(n: number): number {
  return 2 ** (Math.ceil(Math.log2(n)) - 1)
}

function sha256(...parts: Uint8Array[]): Buffer {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}

/** `count` different leaves. */
export function someLeaves(count: number, label = 'leaf'): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => Buffer.from(`${label} ${i}`))
}
