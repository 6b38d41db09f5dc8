/** A few short texts that outlive a reload. `localStorage` fits, by `browserStorage`. */
export type Storage = {
  get(key: string): string | null
  set(key: string, value: string): void
  remove(key: string): void
}

export function memoryStorage(): Storage {
  const values = new Map<string, string>()
  return {
    get: (key) => values.get(key) ?? null,
    set: (key, value) => void values.set(key, value),
    remove: (key) => void values.delete(key),
  }
}

/**
 * `localStorage`, which all tabs share, as they share the cookie that the CSRF token belongs to. The token is no secret
 * from scripts of this origin; it only shows that a call comes from one of them. Where the browser forbids
 * storage, the token lasts as long as the page.
 */
export function browserStorage(): Storage {
  const fallback = memoryStorage()
  function attempt<T>(work: (storage: globalThis.Storage) => T, instead: () => T): T {
    try {
      return work(localStorage)
    } catch {
      return instead()
    }
  }
  return {
    get: (key) =>
      attempt(
        (storage) => storage.getItem(key),
        () => null,
      ) ?? fallback.get(key),
    set: (key, value) =>
      attempt(
        (storage) => storage.setItem(key, value),
        () => fallback.set(key, value),
      ),
    remove: (key) => {
      fallback.remove(key)
      attempt(
        (storage) => storage.removeItem(key),
        () => undefined,
      )
    },
  }
}
