/** Where sealed values and their key lie. Values are structured-cloneable; `all` gives each with its key. */
export interface RecordStore {
  get(table: Table, key: string): Promise<unknown>
  all(table: Table): Promise<readonly (readonly [string, unknown])[]>
  put(table: Table, key: string, value: unknown): Promise<void>
  remove(table: Table, key: string): Promise<void>
  /** Everything, the key as well: what was sealed can never be opened again. */
  clear(): Promise<void>
}

export type Table = 'keys' | 'drafts' | 'outbox'

/** What one table holds for one owner, encrypted on this device. Values are JSON. */
export interface SealedRecords {
  /** Null where there is none, or none that this key opens. */
  read(table: Table, owner: string, name: string): Promise<unknown>
  readAll(table: Table, owner: string): Promise<readonly unknown[]>
  write(table: Table, owner: string, name: string, value: unknown): Promise<void>
  remove(table: Table, owner: string, name: string): Promise<void>
  /** Removes what belongs to anybody else: a workstation is shared, and this person is signed in now. */
  keepOnly(owner: string): Promise<void>
  /** Destroys the key and all that it sealed: at sign-out, or when somebody else signs in. */
  wipe(): Promise<void>
}

interface Sealed {
  readonly nonce: Uint8Array<ArrayBuffer>
  readonly sealed: ArrayBuffer
}

const KEY = 'aes-gcm'

/**
 * Text that a person typed and that has not left this device yet, sealed with AES-256-GCM. The key cannot be extracted, not
 * even by a script on this page, and never leaves the device; table, owner and name are bound in as associated data, so a
 * record that is moved does not open (R-60’s form, on the device; 45 CFR 164.312(a)(2)(iv)).
 */
export function sealedRecords(store: RecordStore, subtle: SubtleCrypto = crypto.subtle): SealedRecords {
  let key: Promise<CryptoKey> | undefined

  async function loadKey(): Promise<CryptoKey> {
    const kept = await store.get('keys', KEY)
    if (kept instanceof CryptoKey) return kept
    const made = await subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt'])
    await store.put('keys', KEY, made)
    return made
  }

  function theKey(): Promise<CryptoKey> {
    key ??= loadKey().catch((error: unknown) => {
      key = undefined
      throw error
    })
    return key
  }

  const place = (owner: string, name: string) => `${owner}/${name}`
  const bound = (table: Table, where: string) => new TextEncoder().encode(`wardline|${table}|${where}`)

  async function open(table: Table, where: string, value: unknown): Promise<unknown> {
    if (!isSealed(value)) return null
    try {
      const algorithm = { name: 'AES-GCM', iv: value.nonce, additionalData: bound(table, where) }
      const text = await subtle.decrypt(algorithm, await theKey(), value.sealed)
      return JSON.parse(new TextDecoder().decode(text)) as unknown
    } catch {
      // Sealed with a key that is gone, or not by us: as good as not there.
      return null
    }
  }

  return {
    read: async (table, owner, name) => open(table, place(owner, name), await store.get(table, place(owner, name))),
    readAll: async (table, owner) => {
      const mine = (await store.all(table)).filter(([where]) => where.startsWith(`${owner}/`))
      const values = await Promise.all(mine.map(([where, value]) => open(table, where, value)))
      return values.filter((each) => each !== null)
    },
    write: async (table, owner, name, value) => {
      const where = place(owner, name)
      const nonce = crypto.getRandomValues(new Uint8Array(12))
      const algorithm = { name: 'AES-GCM', iv: nonce, additionalData: bound(table, where) }
      const text = new TextEncoder().encode(JSON.stringify(value))
      const sealed: Sealed = { nonce, sealed: await subtle.encrypt(algorithm, await theKey(), text) }
      await store.put(table, where, sealed)
    },
    remove: (table, owner, name) => store.remove(table, place(owner, name)),
    keepOnly: async (owner) => {
      for (const table of ['drafts', 'outbox'] as const) {
        const others = (await store.all(table)).filter(([where]) => !where.startsWith(`${owner}/`))
        await Promise.all(others.map(([where]) => store.remove(table, where)))
      }
    },
    wipe: async () => {
      key = undefined
      await store.clear()
    },
  }
}

function isSealed(value: unknown): value is Sealed {
  return (
    typeof value === 'object' &&
    value !== null &&
    'nonce' in value &&
    value.nonce instanceof Uint8Array &&
    'sealed' in value &&
    value.sealed instanceof ArrayBuffer
  )
}
