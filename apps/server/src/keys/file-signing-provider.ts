import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { calculateJwkThumbprint, exportJWK } from 'jose'
import { z } from 'zod'
import { StartError } from '../errors.ts'
import { readPrivateFile, writePrivateFile } from './private-file.ts'
import type { ProvidedKey, SigningKeyProvider } from './signing-provider.ts'

const ENDING = '.json'
const KID = /^[A-Za-z0-9_-]{43}$/

const keyFile = z.strictObject({
  kid: z.string().regex(KID),
  /** The one algorithm: a key never says by itself how it wants to be used (RFC 8725 §3.1). */
  alg: z.literal('ES256'),
  activeFrom: z.int().min(0),
  privateKey: z.string(),
})

type FileKey = ProvidedKey & { readonly privateKey: KeyObject }

const signAsync = promisify(sign)

/** Where the signing keys of an installation are, below the folder of its keys. */
export function signingKeysIn(keysDir: string): string {
  return join(keysDir, 'signing')
}

/**
 * Signing keys as files in `folder`, one each, readable by their owner alone and the same for all nodes. To add a key is to add a
 * file: every process finds it, and nothing has to be written into another.
 *
 * `list` throws StartError where a file is readable by others or is not what it says it is, or others may write the folder: who
 * can put a key there signs in as anybody.
 */
export function fileSigningProvider(folder: string): SigningKeyProvider {
  let known: ReadonlyMap<string, FileKey> = new Map()

  async function read(): Promise<ReadonlyMap<string, FileKey>> {
    await mkdir(folder, { recursive: true, mode: 0o700 })
    await refuseOpenFolder(folder)
    const keys = new Map<string, FileKey>()
    for (const name of await readdir(folder)) {
      if (!name.endsWith(ENDING)) continue
      const kid = name.slice(0, -ENDING.length)
      const key = known.get(kid) ?? (await readKey(join(folder, name), kid))
      if (key !== null) keys.set(kid, key)
    }
    known = keys
    return keys
  }

  return {
    list: async () => [...(await read()).values()].map(({ kid, activeFrom, jwk }) => ({ kid, activeFrom, jwk })),
    create: (activeFrom) => addSigningKey(folder, activeFrom),
    async sign(kid, input) {
      const key = known.get(kid) ?? (await read()).get(kid)
      if (key === undefined) throw new Error('there is no such signing key')
      return signAsync('sha256', input, { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
    },
    async remove(kid) {
      if (KID.test(kid)) await rm(join(folder, `${kid}${ENDING}`), { force: true })
    },
  }
}

/**
 * Adds a key to `folder` that signs from `activeFrom` on (milliseconds of the epoch).
 * @returns its `kid`, the RFC 7638 thumbprint
 */
export async function addSigningKey(folder: string, activeFrom: number): Promise<string> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const kid = await calculateJwkThumbprint(await exportJWK(publicKey))
  const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString()
  const text = JSON.stringify({ kid, alg: 'ES256', activeFrom, privateKey: pem } satisfies z.infer<typeof keyFile>)
  await writePrivateFile(join(folder, `${kid}${ENDING}`), text, 'once')
  return kid
}

async function refuseOpenFolder(folder: string): Promise<void> {
  if (process.platform === 'win32') return
  const { mode } = await stat(folder)
  if ((mode & 0o022) !== 0) {
    throw new StartError(
      `${folder} holds signing keys and others may write there: chmod 700 it, and look what is in it.`,
    )
  }
}

async function readKey(path: string, kid: string): Promise<FileKey | null> {
  const text = await readPrivateFile(path)
  if (text === null) return null
  try {
    const file = keyFile.parse(JSON.parse(text))
    const privateKey = createPrivateKey(file.privateKey)
    const { crv, x, y } = await exportJWK(createPublicKey(privateKey))
    if (crv !== 'P-256' || x === undefined || y === undefined) throw new Error('not a key of P-256')
    const jwk = { kty: 'EC', crv, x, y } as const
    if (file.kid !== kid || (await calculateJwkThumbprint(jwk)) !== kid) throw new Error('another kid')
    return { kid, activeFrom: file.activeFrom, privateKey, jwk }
  } catch (error) {
    throw new StartError(`${path} is not a signing key of this server: move it out of that folder.`, 1, {
      cause: error,
    })
  }
}
