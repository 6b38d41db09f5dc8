import { createHash, createPublicKey, verify } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/**
 * A second verifier, written from the texts alone (C2SP signed-note, tlog-checkpoint, tlog-cosignature, tlog-tiles, tlog-proof; RFC 6962
 * §2.1) and sharing no line with packages/transparency-log: where the two disagree, one of them does not read the format as it is written.
 * It is slow and simple on purpose. `node tests/audit/second-verifier.ts DIR VKEY [WITNESS-VKEY …]` prints what it finds.
 */

export type Seen = {
  readonly origin: string
  readonly size: number
  /** Base 64, as the checkpoint has it. */
  readonly root: string
  /** Names of the keys whose signatures, or cosignatures with their times, hold. */
  readonly signedBy: readonly string[]
  readonly cosignedBy: readonly { readonly name: string; readonly at: number }[]
}

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
const fail = (what: string): never => {
  throw new Error(what)
}

/** RFC 6962 §2.1, as it is written: MTH(D[n]) = SHA-256(0x01 || MTH(D[0:k]) || MTH(D[k:n])), k the largest power of two below n. */
export function treeHash(leaves: readonly Uint8Array[]): Buffer {
  if (leaves.length === 0) return sha256()
  if (leaves.length === 1) return Buffer.from(leaves[0] as Uint8Array)
  let k = 1
  while (k * 2 < leaves.length) k *= 2
  return sha256(Buffer.of(1), treeHash(leaves.slice(0, k)), treeHash(leaves.slice(k)))
}

/** Reads a note and says whose signatures hold. A signature of a key that is named here and does not hold is an error. */
export function readNote(note: string, vkeys: readonly string[]): Seen {
  const end = note.lastIndexOf('\n\n') + 1
  const text = note.slice(0, end)
  const lines = note.slice(end + 1).split('\n')
  if (end === 0 || lines.pop() !== '') fail('not a note')
  const [origin = '', digits = '', root = ''] = text.split('\n')
  const signedBy: string[] = []
  const cosignedBy: { name: string; at: number }[] = []
  for (const vkey of vkeys) {
    const [name = '', id = '', ...rest] = vkey.trim().split('+')
    const key = Buffer.from(rest.join('+'), 'base64')
    const keyId = sha256(Buffer.from(`${name}\n`), key).subarray(0, 4)
    if (keyId.toString('hex') !== id) fail('a key id that is not its key’s')
    // RFC 8410 §4: what goes before the 32 bytes of an Ed25519 public key.
    const der = Buffer.concat([Buffer.from('302a300506032b6570032100', 'hex'), key.subarray(1)])
    const publicKey = createPublicKey({ key: der, format: 'der', type: 'spki' })
    for (const line of lines) {
      const [dash, by, base64 = ''] = line.split(' ')
      const blob = Buffer.from(base64, 'base64')
      if (dash !== '—' || by !== name || !blob.subarray(0, 4).equals(keyId)) continue
      const isCosigner = key[0] === 4
      const at = isCosigner ? Number(blob.readBigUInt64BE(4)) : 0
      const signed = isCosigner ? `cosignature/v1\ntime ${at}\n${text}` : text
      if (!verify(null, Buffer.from(signed), publicKey, blob.subarray(isCosigner ? 12 : 4))) fail('a wrong signature')
      if (isCosigner) cosignedBy.push({ name, at })
      else signedBy.push(name)
    }
  }
  return { origin, size: Number(digits), root, signedBy, cosignedBy }
}

/** tlog-tiles "Merkle Tree": the index in groups of three digits, all but the last behind an x; a partial tile says its width. */
function tilePath(level: string, index: number, width: number): string {
  const groups = []
  for (let rest = index; groups.length === 0 || rest > 0; rest = Math.floor(rest / 1000)) {
    groups.unshift((groups.length === 0 ? '' : 'x') + String(rest % 1000).padStart(3, '0'))
  }
  return `tile/${level}/${groups.join('/')}${width < 256 ? `.p/${width}` : ''}`
}

/** Every entry of a log of `size`, out of its bundles: each behind its length, a big-endian uint16. */
export function readEntries(dir: string, size: number): Buffer[] {
  const entries: Buffer[] = []
  for (let index = 0; index * 256 < size; index++) {
    const width = Math.min(256, size - index * 256)
    const bundle = readFileSync(join(dir, tilePath('entries', index, width)))
    for (let at = 0, n = 0; at < bundle.length || n < width; n++) {
      const length = bundle.readUInt16BE(at)
      entries.push(bundle.subarray(at + 2, at + 2 + length))
      at += 2 + length
    }
  }
  return entries.length === size ? entries : fail('a bundle of another length')
}

/** Hashes the log anew, from its entries, and holds every tile of every level against that, and the root against the checkpoint. */
export function verifyFolder(dir: string, vkeys: readonly string[]): Seen {
  const seen = readNote(readFileSync(join(dir, 'checkpoint'), 'utf8'), vkeys)
  if (seen.signedBy.length === 0) fail('no known key signed it')
  let hashes = readEntries(dir, seen.size).map((entry) => sha256(Buffer.of(0), entry))
  if (treeHash(hashes).toString('base64') !== seen.root) fail('another root than the one that is signed')
  for (let level = 0; hashes.length > 0; level++) {
    const above: Buffer[] = []
    for (let index = 0; index * 256 < hashes.length; index++) {
      const within = hashes.slice(index * 256, index * 256 + 256)
      const tile = readFileSync(join(dir, tilePath(String(level), index, within.length)))
      if (!tile.equals(Buffer.concat(within))) fail(`another tile ${index} at level ${level}`)
      if (within.length === 256) above.push(treeHash(within))
    }
    hashes = above
  }
  return seen
}

/** tlog-proof: whether `entry` is where the file says, under a checkpoint that these keys signed. */
export function verifyProof(file: string, entry: Uint8Array, vkeys: readonly string[]): Seen & { index: number } {
  const end = file.indexOf('\n\n')
  const [head = '', ...lines] = file.slice(0, end).split('\n')
  const [word, digits] = (lines.shift() ?? '').split(' ')
  const seen = readNote(file.slice(end + 2), vkeys)
  const index = Number(digits)
  if (head !== 'c2sp.org/tlog-proof@v1' || word !== 'index' || !(index < seen.size)) fail('not a proof')
  const proof = lines.map((line) => Buffer.from(line, 'base64'))
  // RFC 6962 §2.1.1 from the top down: PATH(m, D[n]) ends with the root of the half in which the leaf is not.
  const climb = (m: number, n: number): Buffer => {
    if (n === 1) return sha256(Buffer.of(0), entry)
    let k = 1
    while (k * 2 < n) k *= 2
    const sibling = proof.pop() ?? fail('too short a proof')
    return m < k ? sha256(Buffer.of(1), climb(m, k), sibling) : sha256(Buffer.of(1), sibling, climb(m - k, n - k))
  }
  const root = climb(index, seen.size).toString('base64')
  if (root !== seen.root || proof.length > 0 || seen.signedBy.length === 0) fail('it proves nothing')
  return { ...seen, index }
}

if (import.meta.main) {
  const [dir = '.', ...vkeys] = process.argv.slice(2)
  process.stdout.write(`${JSON.stringify(verifyFolder(dir, vkeys))}\n`)
}
