import { createPublicKey, type KeyObject } from 'node:crypto'
import type { JWK } from 'jose'
import type { ProvidedKey, SigningKeyProvider } from './signing-provider.ts'

/** The one algorithm: a key never says by itself how it wants to be used (RFC 8725 §3.1). */
const ALGORITHM = 'ES256'
/** Another process may have added or removed a key: whoever signs or verifies looks, at most this often. */
const LOOK_MS = 1_000
/** After a successor's time has come a node with a slower clock may sign with the old key for so long. */
const HANDOVER_MS = 10_000
/** How long whoever verifies tokens elsewhere may keep the published keys, in seconds. */
export const JWKS_SECONDS = 300
/** A new key is published for longer than that before it signs: nobody meets a token by a key they have not heard of. */
export const PUBLISH_MS = JWKS_SECONDS * 1000 + 60_000

/** `next`: published, does not sign yet. `signing`: the one. `verifying`: signs no more, its last tokens still live. */
export type SigningKeyState = {
  readonly kid: string
  /** Milliseconds of the epoch. */
  readonly activeFrom: number
  readonly state: 'next' | 'signing' | 'verifying'
}

/** The keys of access tokens. No caller sees a private key. */
export interface SigningKeys {
  /** A compact JWS of `claims` by the active key, with its `kid` and `typ`. */
  sign(typ: string, claims: object): Promise<string>
  /** The public key of `kid` and the only algorithm it is for; undefined when it is unknown or has retired. */
  verificationKey(kid: string): Promise<{ readonly key: KeyObject; readonly algorithm: string } | undefined>
  /** RFC 7517: the public keys that verify now, the active one first. */
  jwks(): Promise<{ readonly keys: readonly JWK[] }>
  /** Those keys, newest first. */
  list(): Promise<readonly SigningKeyState[]>
  /**
   * Adds a key that signs once it has been published long enough, or `atOnce`.
   * @returns its `kid`; null where one that waits already will do
   */
  rotate(how?: { readonly atOnce: boolean }): Promise<string | null>
  /** Destroys keys: every token by them is refused within a second or so, on every node. The active one first needs a successor. */
  destroy(kids: readonly string[]): Promise<void>
  /** Destroys the keys whose last token has expired, and says which. */
  removeRetired(): Promise<readonly string[]>
}

type Known = ProvidedKey & { readonly publicKey: KeyObject }

/**
 * The signing keys of an installation; the first is made when there is none.
 * @param tokenLifeMs how long a token may live, leeway included: so long a key verifies after its successor has taken over.
 * @param onFault told when a later look fails, or finds something that is no key; what was known stays
 * @throws StartError when the provider holds something that is no key, or that others may read.
 */
export async function openSigningKeys(
  provider: SigningKeyProvider,
  now: () => number,
  tokenLifeMs: number,
  onFault: (error: unknown) => void,
): Promise<SigningKeys> {
  if ((await provider.list()).length === 0) await provider.create(now())
  let keys = await read(new Map())
  let lookedAt = now()

  async function read(known: ReadonlyMap<string, Known>): Promise<ReadonlyMap<string, Known>> {
    const listed = await provider.list()
    return new Map(
      listed.map((key) => [
        key.kid,
        known.get(key.kid) ?? { ...key, publicKey: createPublicKey({ key: { ...key.jwk }, format: 'jwk' }) },
      ]),
    )
  }

  async function look(): Promise<void> {
    if (Math.abs(now() - lookedAt) < LOOK_MS) return
    lookedAt = now()
    try {
      const found = await read(keys)
      // A store that has nothing of a sudden is a store that is away: those that were good a moment ago still are.
      if (found.size === 0) throw new Error('the provider has no signing key any more')
      keys = found
    } catch (error) {
      onFault(error)
    }
  }

  const ordered = () => [...keys.values()].sort((a, b) => a.activeFrom - b.activeFrom || a.kid.localeCompare(b.kid))

  function hasRetired(successor: Known | undefined): boolean {
    return successor !== undefined && now() >= successor.activeFrom + HANDOVER_MS + tokenLifeMs
  }

  /** Those that verify now, oldest first: another process may have signed with the old one until it looked. */
  function living(): readonly Known[] {
    return ordered().filter((_, index, all) => !hasRetired(all[index + 1]))
  }

  function active(): Known {
    const alive = living()
    const key = alive.findLast(({ activeFrom }) => activeFrom <= now()) ?? alive[0]
    if (key === undefined) throw new Error('no signing key')
    return key
  }

  async function destroy(kids: readonly string[]): Promise<void> {
    for (const kid of kids) await provider.remove(kid)
    keys = await read(keys)
  }

  return {
    async sign(typ, claims) {
      await look()
      const { kid } = active()
      const input = [{ alg: ALGORITHM, typ, kid }, claims].map(encode).join('.')
      const signature = await provider.sign(kid, Buffer.from(input))
      return `${input}.${Buffer.from(signature).toString('base64url')}`
    },
    async verificationKey(kid) {
      await look()
      const key = living().find((each) => each.kid === kid)
      return key && { key: key.publicKey, algorithm: ALGORITHM }
    },
    async jwks() {
      await look()
      const first = active()
      return { keys: [first, ...living().filter((key) => key !== first)].map(publicJwk) }
    },
    async list() {
      await look()
      const signing = active()
      return living()
        .map(({ kid, activeFrom }) => ({ kid, activeFrom, state: stateOf(kid, activeFrom) }))
        .reverse()

      function stateOf(kid: string, activeFrom: number): SigningKeyState['state'] {
        if (kid === signing.kid) return 'signing'
        return activeFrom > now() ? 'next' : 'verifying'
      }
    },
    async rotate({ atOnce } = { atOnce: false }) {
      keys = await read(keys)
      // Of two who ask in the same moment both may add one: a key too many, and still the same one signs on every node.
      if (!atOnce && ordered().some(({ activeFrom }) => activeFrom > now())) return null
      const kid = await provider.create(now() + (atOnce ? 0 : PUBLISH_MS))
      keys = await read(keys)
      return kid
    },
    destroy,
    async removeRetired() {
      keys = await read(keys)
      const all = ordered()
      const retired = all.filter((_, index) => hasRetired(all[index + 1])).map(({ kid }) => kid)
      await destroy(retired)
      return retired
    },
  }
}

function encode(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url')
}

function publicJwk({ kid, jwk }: Known): JWK {
  return { ...jwk, kid, alg: ALGORITHM, use: 'sig' }
}
