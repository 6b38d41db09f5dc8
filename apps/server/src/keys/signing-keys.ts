import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { calculateJwkThumbprint, exportJWK, type JWK, type JWTPayload, SignJWT } from 'jose'
import { z } from 'zod'
import { StartError } from '../errors.ts'
import { readPrivateFile, writePrivateFile } from './private-file.ts'

/** The one algorithm: a key never says by itself how it wants to be used (RFC 8725 §3.1). */
const ALGORITHM = 'ES256'
/** Another process may have added a key: an unknown `kid` makes us look, at most this often, and signing now and then. */
const LOOK_AGAIN_MS = 1_000
const LOOK_BEFORE_SIGNING_MS = 10_000

/**
 * Keys that sign access tokens. This is what a PKCS#11 or KMS provider would fill too: no caller sees a private key.
 */
export interface SigningKeys {
  /** A compact JWS of `claims` by the active key, with its `kid` and `typ`. */
  sign(typ: string, claims: JWTPayload): Promise<string>
  /** The public key of `kid` and the only algorithm it is for; undefined when it is unknown or has retired. */
  verificationKey(kid: string): Promise<{ readonly key: KeyObject; readonly algorithm: string } | undefined>
  /** RFC 7517: the public keys that verify now, the active one first. */
  jwks(): { readonly keys: readonly JWK[] }
}

const keyFile = z.strictObject({
  kid: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  alg: z.literal(ALGORITHM),
  /** Milliseconds of the epoch; it signs from then on, and its predecessor retires when that one's last token has expired. */
  activeFrom: z.int().min(0),
  privateKey: z.string(),
})

type SigningKey = {
  readonly kid: string
  readonly activeFrom: number
  readonly privateKey: KeyObject
  readonly publicKey: KeyObject
  readonly jwk: JWK
}

/**
 * Signing keys as files in `folder`, one each, the same for all nodes; the first is made when there is none. To rotate is to
 * add a file (`addSigningKey`): every process finds it, and nothing has to be written into the old one.
 * @param tokenLifeMs how long a token may live, leeway included: so long a key verifies after its successor has taken over.
 * @param onFault told when a later look finds something that is no key; what was known stays
 * @throws StartError when a file is readable by others or is not what it says it is.
 */
export async function openSigningKeys(
  folder: string,
  now: () => number,
  tokenLifeMs: number,
  onFault: (error: unknown) => void,
): Promise<SigningKeys> {
  if ((await readKeys(folder, new Map())).size === 0) await addSigningKey(folder, now())
  let keys = await readKeys(folder, new Map())
  let lookedAt = now()

  async function lookAgain(afterMs: number): Promise<void> {
    if (Math.abs(now() - lookedAt) < afterMs) return
    lookedAt = now()
    try {
      keys = await readKeys(folder, keys)
    } catch (error) {
      // A stray file must not end sign-ins: those that were good a moment ago still are.
      onFault(error)
    }
  }

  /** Those that verify now, oldest first: another process may have signed with the old one until it looked. */
  function living(): readonly SigningKey[] {
    const ordered = [...keys.values()].sort((a, b) => a.activeFrom - b.activeFrom || a.kid.localeCompare(b.kid))
    return ordered.filter((_, index) => {
      const successor = ordered[index + 1]
      return successor === undefined || now() < successor.activeFrom + LOOK_BEFORE_SIGNING_MS + tokenLifeMs
    })
  }

  function active(): SigningKey {
    const begun = living().filter((key) => key.activeFrom <= now())
    const key = begun.at(-1) ?? living()[0]
    if (key === undefined) throw new Error('no signing key')
    return key
  }

  return {
    async sign(typ, claims) {
      await lookAgain(LOOK_BEFORE_SIGNING_MS)
      const { kid, privateKey } = active()
      return new SignJWT(claims).setProtectedHeader({ alg: ALGORITHM, typ, kid }).sign(privateKey)
    },
    async verificationKey(kid) {
      if (!keys.has(kid)) await lookAgain(LOOK_AGAIN_MS)
      const key = living().find((each) => each.kid === kid)
      return key && { key: key.publicKey, algorithm: ALGORITHM }
    },
    jwks() {
      const first = active()
      return { keys: [first, ...living().filter((key) => key !== first)].map(({ jwk }) => jwk) }
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
  const text = JSON.stringify({ kid, alg: ALGORITHM, activeFrom, privateKey: pem } satisfies z.infer<typeof keyFile>)
  await writePrivateFile(join(folder, `${kid}.json`), text, 'once')
  return kid
}

async function readKeys(folder: string, known: ReadonlyMap<string, SigningKey>): Promise<Map<string, SigningKey>> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const names = (await readdir(folder)).filter((name) => name.endsWith('.json'))
  const keys = new Map<string, SigningKey>()
  for (const name of names) {
    const kid = name.slice(0, -'.json'.length)
    const key = known.get(kid) ?? (await readKey(join(folder, name), kid))
    if (key !== null) keys.set(kid, key)
  }
  return keys
}

async function readKey(path: string, kid: string): Promise<SigningKey | null> {
  const text = await readPrivateFile(path)
  if (text === null) return null
  try {
    const file = keyFile.parse(JSON.parse(text))
    const privateKey = createPrivateKey(file.privateKey)
    const publicKey = createPublicKey(privateKey)
    const { crv, x, y } = await exportJWK(publicKey)
    if (crv !== 'P-256' || x === undefined || y === undefined) throw new Error('not a key of P-256')
    if (file.kid !== kid || (await calculateJwkThumbprint({ kty: 'EC', crv, x, y })) !== kid)
      throw new Error('another kid')
    return {
      kid,
      activeFrom: file.activeFrom,
      privateKey,
      publicKey,
      jwk: { kty: 'EC', crv: 'P-256', x, y, kid, alg: ALGORITHM, use: 'sig' },
    }
  } catch (error) {
    throw new StartError(`${path} is not a signing key of this server: move it out of that folder.`, 1, {
      cause: error,
    })
  }
}
