import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomFillSync,
} from 'node:crypto'

/**
 * A sealed value: one run of bytes, `0x01 | key id (16) | nonce (12) | ciphertext | tag (16)`, AES-256-GCM (NIST SP
 * 800-38D). It carries the id of its key, so that keys rotate without touching what they sealed; and it is bound to the
 * place it belongs to, so that a value copied to another row, purpose or tenant does not open there.
 *
 * Nonces are random, 96 bits: one key seals one channel, far from the 2³² values that §8.3 allows.
 */
const VERSION = 1
const KEY_ID_BYTES = 16
const NONCE_BYTES = 12
const TAG_BYTES = 16
const HEADER_BYTES = 1 + KEY_ID_BYTES + NONCE_BYTES
const CIPHER = 'aes-256-gcm'

/** What sealing adds to the plaintext, in bytes. */
export const SEAL_OVERHEAD = HEADER_BYTES + TAG_BYTES

/** Where a value belongs. None of the parts holds a `|`: ids and fixed words. */
export type SealContext = {
  readonly tenant: string
  /** The channel's id, or the table: `patients`, `tenant-keys`. */
  readonly scope: string
  readonly row: string
  /** `body`, `title`, `demographics`, `wrap`. */
  readonly purpose: string
}

export type SealKey = {
  readonly id: string
  readonly idBytes: Buffer
  readonly key: KeyObject
  /** For HMAC-SHA-256 beside what the key seals: 32 bytes of HKDF-SHA-256 of it, so that neither tells of the other. */
  readonly digestKey: KeyObject
}

/** A value does not open: changed, moved, of another key, or no sealed value. Which of them is not to be told apart. */
export class SealError extends Error {
  constructor() {
    super('a sealed value does not open')
    this.name = 'SealError'
  }
}

/** @param id UUID of the key's row; @param bytes 32 */
export function sealKey(id: string, bytes: Uint8Array): SealKey {
  const idBytes = Buffer.from(id.replaceAll('-', ''), 'hex')
  if (idBytes.length !== KEY_ID_BYTES || bytes.length !== 32) throw new TypeError('a key is a UUID and 32 bytes')
  const digestKey = createSecretKey(Buffer.from(hkdfSync('sha256', bytes, '', 'wardline digest', 32)))
  return { id, idBytes, key: createSecretKey(bytes), digestKey }
}

/** @param fillRandom replaced in tests of the format; a repeated nonce gives the key away */
export function sealWith(
  { idBytes, key }: SealKey,
  context: SealContext,
  plain: Uint8Array,
  fillRandom: (bytes: Buffer) => unknown = fillFromPool,
): Buffer {
  const sealed = Buffer.allocUnsafe(SEAL_OVERHEAD + plain.length)
  sealed[0] = VERSION
  idBytes.copy(sealed, 1)
  const nonce = sealed.subarray(1 + KEY_ID_BYTES, HEADER_BYTES)
  fillRandom(nonce)
  const cipher = createCipheriv(CIPHER, key, nonce)
  cipher.setAAD(associatedData(context))
  cipher.update(plain).copy(sealed, HEADER_BYTES)
  cipher.final()
  cipher.getAuthTag().copy(sealed, HEADER_BYTES + plain.length)
  return sealed
}

/** Random bytes for many nonces at once: a call for twelve costs as much as one for thousands. */
const pool = Buffer.alloc(4_096)
let poolUsed = pool.length

function fillFromPool(nonce: Buffer): void {
  if (poolUsed + nonce.length > pool.length) {
    randomFillSync(pool)
    poolUsed = 0
  }
  pool.copy(nonce, 0, poolUsed, poolUsed + nonce.length)
  poolUsed += nonce.length
}

/** @throws SealError */
export function openSealed({ idBytes, key }: SealKey, context: SealContext, sealed: Uint8Array): Buffer {
  const bytes = asBuffer(sealed)
  if (!isSealed(bytes) || !bytes.subarray(1, 1 + KEY_ID_BYTES).equals(idBytes)) throw new SealError()
  const associated = associatedData(context)
  try {
    const decipher = createDecipheriv(CIPHER, key, bytes.subarray(1 + KEY_ID_BYTES, HEADER_BYTES), {
      authTagLength: TAG_BYTES,
    })
    decipher.setAAD(associated)
    decipher.setAuthTag(bytes.subarray(bytes.length - TAG_BYTES))
    const plain = decipher.update(bytes.subarray(HEADER_BYTES, bytes.length - TAG_BYTES))
    decipher.final()
    return plain
  } catch {
    throw new SealError()
  }
}

/** The id of the key that sealed the value. @throws SealError when it is no sealed value of this version */
export function keyIdOf(sealed: Uint8Array): string {
  const bytes = asBuffer(sealed)
  if (!isSealed(bytes)) throw new SealError()
  const hex = bytes.toString('hex', 1, 1 + KEY_ID_BYTES)
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

function isSealed(bytes: Buffer): boolean {
  return bytes.length >= SEAL_OVERHEAD && bytes[0] === VERSION
}

function associatedData({ tenant, scope, row, purpose }: SealContext): Buffer {
  if (`${tenant}${scope}${row}${purpose}`.includes('|')) throw new TypeError('a part of a seal context holds a |')
  return Buffer.from(`${tenant}|${scope}|${row}|${purpose}`)
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
