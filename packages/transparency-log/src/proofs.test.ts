import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { naiveTree, someLeaves } from '../test/naive-tree.ts'
import argon from '../vectors/argon2020-proofs.json' with { type: 'json' }
import reference from '../vectors/rfc6962-tree.json' with { type: 'json' }
import { frontier, subtreeLevels } from './frontier.ts'
import { EMPTY_ROOT, leafHash } from './merkle-hash.ts'
import { inclusionSteps } from './proof-steps.ts'
import {
  consistencyProof,
  frontierRoots,
  inclusionProof,
  type NodeReader,
  treeRoot,
  verifyConsistency,
  verifyInclusion,
} from './proofs.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const same = (a: Uint8Array[], b: Uint8Array[]): boolean => a.map(hex).join() === b.map(hex).join()
const fromBase64 = (text: string): Uint8Array => Buffer.from(text, 'base64')

/** None for an empty proof, else one in which a single bit differs. */
function withOneBitTurned(proof: Uint8Array[], at: number, bit: number): Uint8Array[][] {
  const forged = proof.map((hash) => Uint8Array.from(hash))
  const hash = forged[at % forged.length]
  if (hash === undefined) return []
  hash[at % 32] = (hash[at % 32] as number) ^ (1 << bit)
  return [forged]
}

describe('RFC 6962 reference tree', () => {
  const { leaves, emptyRoot, roots, consistency } = reference

  it('has the published root at every size', () => {
    const tree = frontier()
    expect(hex(tree.root())).toBe(emptyRoot)
    for (const [i, leaf] of leaves.entries()) {
      tree.push(leafHash(Buffer.from(leaf, 'hex')))
      expect(hex(tree.root())).toBe(roots[i])
    }
  })

  it('accepts the published consistency proof', () => {
    const [oldRoot, newRoot] = [roots[consistency.oldSize - 1], roots[consistency.newSize - 1]].map((root) =>
      Buffer.from(root ?? '', 'hex'),
    ) as [Buffer, Buffer]
    const proof = consistency.proof.map(fromBase64)
    expect(verifyConsistency(consistency.oldSize, oldRoot, consistency.newSize, newRoot, proof)).toBe(true)
    expect(verifyConsistency(consistency.oldSize, newRoot, consistency.newSize, oldRoot, proof)).toBe(false)
  })
})

describe('a public log of 961,984,013 leaves', () => {
  const { size, root, inclusion, consistency } = argon

  it('inclusion', () => {
    const proof = inclusion.proof.map(fromBase64)
    const leaf = fromBase64(inclusion.leafHash)
    expect(verifyInclusion(leaf, inclusion.index, size, proof, fromBase64(root))).toBe(true)
    expect(verifyInclusion(leaf, inclusion.index + 1, size, proof, fromBase64(root))).toBe(false)
  })

  it('consistency', () => {
    const proof = consistency.proof.map(fromBase64)
    const oldRoot = fromBase64(consistency.oldRoot)
    expect(verifyConsistency(consistency.oldSize, oldRoot, size, fromBase64(root), proof)).toBe(true)
    expect(verifyConsistency(consistency.oldSize + 1, oldRoot, size, fromBase64(root), proof)).toBe(false)
  })
})

describe('against the recursive definitions, at every size up to 300', () => {
  const leaves = someLeaves(300)
  const hashes = leaves.map(leafHash)
  const naive = naiveTree(leaves)
  const read: NodeReader = async (level, index) => naive.node(level, index)

  it('roots, incrementally, from subtrees, and resumed', async () => {
    const tree = frontier()
    for (const [size, leaf] of hashes.entries()) {
      expect(hex(tree.root())).toBe(hex(naive.root(size)))
      expect(hex(await treeRoot(size, read))).toBe(hex(naive.root(size)))
      const resumed = frontier(size, await frontierRoots(size, read))
      resumed.push(leaf)
      tree.push(leaf)
      expect(hex(resumed.root())).toBe(hex(naive.root(size + 1)))
    }
  })

  it('every inclusion proof', async () => {
    const wrong: string[] = []
    for (let size = 1; size <= 300; size++) {
      for (let index = 0; index < size; index++) {
        const proof = await inclusionProof(index, size, read)
        const right =
          same(proof, naive.inclusion(index, size)) &&
          verifyInclusion(hashes[index] as Uint8Array, index, size, proof, naive.root(size))
        if (!right) wrong.push(`${index} in ${size}`)
      }
    }
    expect(wrong).toEqual([])
  })

  it('every consistency proof', async () => {
    const wrong: string[] = []
    for (let size = 0; size <= 300; size++) {
      for (let old = 0; old <= size; old++) {
        const proof = await consistencyProof(old, size, read)
        const right =
          same(proof, naive.consistency(old, size)) &&
          verifyConsistency(old, naive.root(old), size, naive.root(size), proof)
        if (!right) wrong.push(`${old} to ${size}`)
      }
    }
    expect(wrong).toEqual([])
  })
})

describe('properties of larger trees', () => {
  const leaves = someLeaves(5000)
  const naive = naiveTree(leaves)
  const read: NodeReader = async (level, index) => naive.node(level, index)
  const sizes = fc.integer({ min: 1, max: leaves.length })

  it('proofs are those of the definitions, and nothing else is accepted', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, fc.nat(), fc.nat(), fc.nat({ max: 7 }), async (size, pick, at, bit) => {
        const index = pick % size
        const root = naive.root(size)
        const leaf = leafHash(leaves[index] as Uint8Array)
        const proof = await inclusionProof(index, size, read)
        expect(proof.map(hex)).toEqual(naive.inclusion(index, size).map(hex))
        expect(verifyInclusion(leaf, index, size, proof, root)).toBe(true)
        expect(verifyInclusion(leaf, index, size, [...proof, root], root)).toBe(false)
        expect(verifyInclusion(leaf, index, size, proof.slice(1), root)).toBe(proof.length === 0)
        expect(verifyInclusion(leaf, size, size, proof, root)).toBe(false)
        for (const forged of withOneBitTurned(proof, at, bit)) {
          expect(verifyInclusion(leaf, index, size, forged, root)).toBe(false)
          expect(verifyInclusion(leaf, (index + 1) % size, size, proof, root)).toBe(false)
        }
      }),
      { numRuns: 200 },
    )
  })

  it('consistency proofs are those of the definitions, and nothing else is accepted', async () => {
    await fc.assert(
      fc.asyncProperty(sizes, sizes, fc.nat(), fc.nat({ max: 7 }), async (a, b, at, bit) => {
        const [old, size] = [Math.min(a, b), Math.max(a, b)]
        const [oldRoot, root] = [naive.root(old), naive.root(size)]
        const proof = await consistencyProof(old, size, read)
        expect(proof.map(hex)).toEqual(naive.consistency(old, size).map(hex))
        expect(verifyConsistency(old, oldRoot, size, root, proof)).toBe(true)
        expect(verifyConsistency(old, oldRoot, size, root, [...proof, root])).toBe(false)
        expect(verifyConsistency(old, root, size, root, proof)).toBe(old === size)
        for (const forged of withOneBitTurned(proof, at, bit)) {
          expect(verifyConsistency(old, oldRoot, size, root, forged)).toBe(false)
        }
      }),
      { numRuns: 200 },
    )
  })

  it('sizes near 2^53 are counted exactly', () => {
    const size = Number.MAX_SAFE_INTEGER
    expect(subtreeLevels(size)).toHaveLength(53)
    expect(inclusionSteps(size - 1, size)).toHaveLength(52)
    expect(inclusionSteps(0, size)).toHaveLength(53)
    expect(inclusionSteps(size, size)).toBeUndefined()
  })
})

describe('the empty tree', () => {
  it('is extended by every tree, by an empty proof only', () => {
    const root = leafHash(new Uint8Array(1))
    expect(verifyConsistency(0, EMPTY_ROOT, 1, root, [])).toBe(true)
    expect(verifyConsistency(0, EMPTY_ROOT, 1, root, [root])).toBe(false)
    expect(verifyConsistency(0, root, 1, root, [])).toBe(false)
    expect(verifyConsistency(0, EMPTY_ROOT, 0, EMPTY_ROOT, [])).toBe(true)
  })

  it('bounds are refused', async () => {
    const read: NodeReader = async () => EMPTY_ROOT
    await expect(inclusionProof(0, 0, read)).rejects.toThrow(RangeError)
    await expect(inclusionProof(3, 3, read)).rejects.toThrow(RangeError)
    await expect(consistencyProof(4, 3, read)).rejects.toThrow(RangeError)
  })
})
