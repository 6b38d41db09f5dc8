import { describe, expect, it } from 'vitest'
import { naiveTree, someLeaves } from '../test/naive-tree.ts'
import { joinBytes } from './bytes.ts'
import { growingBundle } from './entry-bundle.ts'
import { memoryStore } from './memory-store.ts'
import { leafHash } from './merkle-hash.ts'
import { inclusionProof, treeRoot, verifyInclusion } from './proofs.ts'
import { TILE_WIDTH, tilePath, tileWidth } from './tile-path.ts'
import { bundleEntries, TileMissingError, tileHashes, tileNodeReader } from './tile-reader.ts'

const SIZE = 66_000
const leaves = someLeaves(SIZE)
const naive = naiveTree(leaves)
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** Tiles for the tree of `size` leaves, by the definition: the n-th tile of level l holds MTH of 256^l leaves each. */
async function tiles(size: number) {
  const store = memoryStore()
  for (let level = 0; tileWidth(level, 0, size) > 0; level++) {
    for (let index = 0; tileWidth(level, index, size) > 0; index++) {
      const width = tileWidth(level, index, size)
      const hashes = Array.from({ length: width }, (_, i) => naive.node(8 * level, index * TILE_WIDTH + i))
      await store.write(tilePath({ level, index, width }), joinBytes(...hashes))
    }
  }
  return store
}

describe('nodes out of tiles', () => {
  it('give roots and proofs at a size of three levels', async () => {
    const read = tileNodeReader(await tiles(SIZE), SIZE)
    expect(hex(await treeRoot(SIZE, read))).toBe(hex(naive.root(SIZE)))
    for (const index of [0, 255, 256, 65_535, 65_536, SIZE - 1]) {
      const proof = await inclusionProof(index, SIZE, read)
      expect(proof.map(hex)).toEqual(naive.inclusion(index, SIZE).map(hex))
      expect(verifyInclusion(leafHash(leaves[index] as Uint8Array), index, SIZE, proof, naive.root(SIZE))).toBe(true)
    }
  })

  it('roots of older sizes, from the tiles of a later one', async () => {
    const read = tileNodeReader(await tiles(1024), 1024)
    for (const size of [1, 255, 256, 1000, 1023]) {
      expect(hex(await treeRoot(size, read))).toBe(hex(naive.root(size)))
    }
  })

  it('a partial tile dropped since is read from the full one', async () => {
    const store = await tiles(1000)
    store.files.delete('tile/0/003.p/232')
    await expect(treeRoot(1000, tileNodeReader(store, 1000))).rejects.toThrow(TileMissingError)
    store.files.set('tile/0/003', (await tiles(1024)).files.get('tile/0/003') as Uint8Array)
    expect(hex(await treeRoot(1000, tileNodeReader(store, 1000)))).toBe(hex(naive.root(1000)))
  })

  it('a missing, short or ragged tile is named', async () => {
    const store = await tiles(600)
    const full = store.files.get('tile/0/001') as Uint8Array
    for (const damage of [undefined, full.subarray(0, 8160), full.subarray(0, 8191), joinBytes(full, full)]) {
      if (damage === undefined) store.files.delete('tile/0/001')
      else store.files.set('tile/0/001', damage)
      await expect(inclusionProof(300, 600, tileNodeReader(store, 600))).rejects.toThrow(TileMissingError)
    }
  })

  it('nodes outside the tree are refused', async () => {
    const read = tileNodeReader(await tiles(600), 600)
    await expect(read(0, 600)).rejects.toThrow(RangeError)
    await expect(read(8, 2)).rejects.toThrow(RangeError)
  })

  it('tiles and bundles are cut to the width asked for, and refused unless they are what their path promises', () => {
    const bundle = growingBundle(someLeaves(3)).bytes()
    expect(tileHashes({ bytes: new Uint8Array(96), width: 3 }, 2)).toHaveLength(2)
    expect(tileHashes({ bytes: new Uint8Array(96), width: 2 }, 2)).toBeUndefined()
    expect(tileHashes(undefined, 2)).toBeUndefined()
    expect(bundleEntries({ bytes: bundle, width: 3 }, 2)).toHaveLength(2)
    expect(bundleEntries({ bytes: bundle, width: 2 }, 2)).toBeUndefined()
    expect(bundleEntries(undefined, 2)).toBeUndefined()
  })
})
