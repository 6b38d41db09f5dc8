import type { RecordStore, Table } from './sealed-records.ts'

const DATABASE = 'wardline-vault'
const TABLES: readonly Table[] = ['keys', 'drafts', 'outbox']

/** The records in IndexedDB, which keeps a CryptoKey without ever showing its bytes to a script. */
export function indexedDbRecords(factory: IDBFactory = indexedDB): RecordStore {
  let database: Promise<IDBDatabase> | undefined

  function opened(): Promise<IDBDatabase> {
    database ??= new Promise<IDBDatabase>((resolve, reject) => {
      const request = factory.open(DATABASE, 1)
      request.onupgradeneeded = () => {
        for (const table of TABLES) request.result.createObjectStore(table)
      }
      request.onsuccess = () => {
        // Another tab wants to change or delete the database: let go, and open it anew when it is next needed.
        request.result.onversionchange = () => {
          request.result.close()
          database = undefined
        }
        resolve(request.result)
      }
      request.onerror = () => reject(request.error ?? new Error('the vault cannot be opened'))
    }).catch((error: unknown) => {
      database = undefined
      throw error
    })
    return database
  }

  async function run<T>(
    tables: readonly Table[],
    mode: IDBTransactionMode,
    work: (transaction: IDBTransaction) => () => T,
  ): Promise<T> {
    const transaction = (await opened()).transaction(tables, mode)
    return new Promise((resolve, reject) => {
      const result = work(transaction)
      transaction.oncomplete = () => resolve(result())
      transaction.onabort = () => reject(transaction.error ?? new Error('the vault refused'))
    })
  }

  return {
    get: (table, key) =>
      run([table], 'readonly', (transaction) => {
        const request = transaction.objectStore(table).get(key) as IDBRequest<unknown>
        return () => request.result
      }),
    all: (table) =>
      run([table], 'readonly', (transaction) => {
        const keys = transaction.objectStore(table).getAllKeys()
        const values = transaction.objectStore(table).getAll() as IDBRequest<unknown[]>
        return () =>
          keys.result.map((key, index) => [typeof key === 'string' ? key : '', values.result[index]] as const)
      }),
    put: (table, key, value) =>
      run([table], 'readwrite', (transaction) => {
        transaction.objectStore(table).put(value, key)
        return () => undefined
      }),
    remove: (table, key) =>
      run([table], 'readwrite', (transaction) => {
        transaction.objectStore(table).delete(key)
        return () => undefined
      }),
    clear: () =>
      run(TABLES, 'readwrite', (transaction) => {
        for (const table of TABLES) transaction.objectStore(table).clear()
        return () => undefined
      }),
  }
}
