import type { KeyStore } from './device-key.ts'

const DATABASE = 'wardline'
const STORE = 'device-key'
const KEY = 'dpop'

/** Keeps the pair in IndexedDB, which stores a CryptoKey without ever showing its bytes to a script. */
export function indexedDbKeyStore(factory: IDBFactory = indexedDB): KeyStore {
  async function run<T>(mode: IDBTransactionMode, work: (store: IDBObjectStore, give: (value: T) => void) => void) {
    const database = await open(factory)
    try {
      return await new Promise<T | undefined>((resolve, reject) => {
        let result: T | undefined
        const transaction = database.transaction(STORE, mode)
        transaction.oncomplete = () => resolve(result)
        transaction.onabort = () => reject(transaction.error ?? new Error('aborted'))
        work(transaction.objectStore(STORE), (value) => {
          result = value
        })
      })
    } finally {
      database.close()
    }
  }

  return {
    load: () =>
      run<CryptoKeyPair>('readonly', (store, give) => {
        const request = store.get(KEY) as IDBRequest<CryptoKeyPair | undefined>
        request.onsuccess = () => {
          if (request.result !== undefined) give(request.result)
        }
      }),
    keep: async (pair) => {
      // Read and write in one transaction: IndexedDB runs those one after another, whichever tab they come from.
      const kept = await run<CryptoKeyPair>('readwrite', (store, give) => {
        const request = store.get(KEY) as IDBRequest<CryptoKeyPair | undefined>
        request.onsuccess = () => {
          if (request.result === undefined) store.put(pair, KEY)
          give(request.result ?? pair)
        }
      })
      return kept ?? pair
    },
    remove: async () => {
      await run<void>('readwrite', (store) => {
        store.delete(KEY)
      })
    },
  }
}

function open(factory: IDBFactory): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = factory.open(DATABASE, 1)
    request.onupgradeneeded = () => {
      request.result.createObjectStore(STORE)
    }
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('the key store cannot be opened'))
    request.onblocked = () => reject(new Error('the key store is in use by an older page'))
  })
}
