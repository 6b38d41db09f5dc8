import { hash } from 'node:crypto'

/** RFC 6962 §2.1 hashing on Node: SHA-256 with 0x00 before a leaf and 0x01 before a node. */

/** Bytes of a SHA-256 hash. */
export const HASH_BYTES = 32

/** SHA-256 of `data`. */
export function sha256(data: Uint8Array): Uint8Array {
  // Three times faster than asking for a Buffer, which Node allocates outside its pool (Node 24).
  return Buffer.from(hash('sha256', data, 'binary'), 'binary')
}

/** The root of the tree without leaves: the hash of no bytes (RFC 6962 §2.1). */
export const EMPTY_ROOT: Uint8Array = sha256(new Uint8Array(0))

let leafInput = Buffer.alloc(4096)

/** MTH({leaf}) = SHA-256(0x00 || leaf). */
export function leafHash(leaf: Uint8Array): Uint8Array {
  if (leaf.length >= leafInput.length) leafInput = Buffer.alloc(2 * leaf.length)
  leafInput[0] = 0
  leafInput.set(leaf, 1)
  return sha256(leafInput.subarray(0, leaf.length + 1))
}

const nodeInput = Buffer.alloc(1 + 2 * HASH_BYTES, 1)

/** SHA-256(0x01 || left || right): the parent of two subtrees. */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  nodeInput.set(left, 1)
  nodeInput.set(right, 1 + HASH_BYTES)
  return sha256(nodeInput)
}
