import { createHash, hkdf, randomBytes } from 'node:crypto'
import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { openSealed, type SealContext, type SealKey, sealKey, sealWith } from './envelope.ts'

/**
 * What holds the root key: a file now; PKCS#11, KMS or Vault can stand here later. The key itself never leaves it:
 * it wraps tenant keys and gives bytes derived for a purpose.
 */
export interface KeyProvider {
  /** @param context what the key is for; the same must be given to unwrap it */
  wrap(context: SealContext, plain: Uint8Array): Promise<Buffer>
  /** @throws SealError when the bytes, the context or the root key are others */
  unwrap(context: SealContext, wrapped: Uint8Array): Promise<Buffer>
  /** Names the root key without telling it: 64 hex digits. */
  readonly fingerprint: string
  /** HKDF-SHA-256 (RFC 5869) for a purpose; `bytes` up to 8160. */
  derive(label: string, bytes: number): Promise<Buffer>
}

/** The root key cannot be used. One line for the operator. */
export class RootKeyError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'RootKeyError'
  }
}

const KEY_BYTES = 32
const FILE = 'root.key'

/**
 * The root key in `root.key` of the folder: 32 bytes, readable by its owner alone. Made at the first start; of several
 * starts at once one makes it and all use it. Whoever loses this file loses what the database holds.
 *
 * @throws RootKeyError: unreadable, of another size, or open to others
 */
export async function openRootKeyFile(keysDir: string): Promise<KeyProvider> {
  const path = join(keysDir, FILE)
  try {
    mkdirSync(keysDir, { recursive: true, mode: 0o700 })
    createOnce(path)
    checkMode(path)
    const key = readFileSync(path)
    if (key.length !== KEY_BYTES) {
      throw new RootKeyError(
        `${path} must hold exactly ${KEY_BYTES} bytes and holds ${key.length}: restore it from your backup.`,
      )
    }
    return await providerOf(key)
  } catch (error) {
    if (error instanceof RootKeyError) throw error
    throw new RootKeyError(`${path} cannot be read or made: let the user who runs Wardline own it.`, { cause: error })
  }
}

/** Linked into place complete: nobody ever reads half a key. */
function createOnce(path: string): void {
  if (statSync(path, { throwIfNoEntry: false }) !== undefined) return
  const fresh = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  writeFileSync(fresh, randomBytes(KEY_BYTES), { mode: 0o600, flag: 'wx', flush: true })
  try {
    linkSync(fresh, path)
    syncFolderOf(path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(fresh)
  }
}

/** The name of the key must survive a power cut as surely as what it will seal. */
function syncFolderOf(path: string): void {
  const folder = openSync(join(path, '..'), 'r')
  fsyncSync(folder)
  closeSync(folder)
}

function checkMode(path: string): void {
  const mode = statSync(path).mode & 0o777
  if (process.platform !== 'win32' && (mode & 0o077) !== 0) {
    throw new RootKeyError(
      `${path} is open to others (mode ${mode.toString(8)}): run "chmod 600 ${path}", and consider whether it was read.`,
    )
  }
}

const deriveBytes = promisify(hkdf)

/** A provider over key bytes in memory: the file's, or a test's. @param root 32 bytes */
export async function providerOf(root: Uint8Array): Promise<KeyProvider> {
  const derive = async (label: string, bytes: number) =>
    Buffer.from(await deriveBytes('sha256', root, 'wardline', label, bytes))
  const fingerprint = createHash('sha256')
    .update(await derive('fingerprint', KEY_BYTES))
    .digest('hex')
  const key: SealKey = sealKey(uuidOf(fingerprint), await derive('wrapping', KEY_BYTES))
  return {
    fingerprint,
    derive,
    wrap: (context, plain) => Promise.resolve(sealWith(key, context, plain)),
    // An await, so that an error is a rejection.
    unwrap: async (context, wrapped) => openSealed(key, context, wrapped),
  }
}

function uuidOf(hex: string): string {
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`
}
