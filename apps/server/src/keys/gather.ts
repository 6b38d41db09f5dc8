type Waiting<T> = {
  readonly key: string
  readonly resolve: (value: T) => void
  readonly reject: (error: unknown) => void
}

/** The most keys of one reading. */
const MAX_GATHERED = 500

/**
 * What is asked for in one turn of the loop is read together: every patient has a key of their own, and a list of two hundred
 * would otherwise be two hundred transactions.
 *
 * @param readMany the values by key, or the error that one of them gives; what is missing from it is `missing`
 */
export function gather<T>(
  readMany: (group: string, keys: readonly string[]) => Promise<ReadonlyMap<string, T | Error>>,
  missing: (key: string) => Error,
): (group: string, key: string) => Promise<T> {
  const waiting = new Map<string, Waiting<T>[]>()

  async function read(group: string, asked: readonly Waiting<T>[]): Promise<void> {
    try {
      const found = await readMany(group, [...new Set(asked.map(({ key }) => key))])
      for (const { key, resolve, reject } of asked) {
        const value = found.get(key) ?? missing(key)
        if (value instanceof Error) reject(value)
        else resolve(value)
      }
    } catch (error) {
      for (const { reject } of asked) reject(error)
    }
  }

  function flush(): void {
    const groups = [...waiting]
    waiting.clear()
    for (const [group, asked] of groups) {
      for (let from = 0; from < asked.length; from += MAX_GATHERED) {
        void read(group, asked.slice(from, from + MAX_GATHERED))
      }
    }
  }

  return (group, key) =>
    new Promise<T>((resolve, reject) => {
      if (waiting.size === 0) queueMicrotask(flush)
      const asked = waiting.get(group) ?? []
      waiting.set(group, asked)
      asked.push({ key, resolve, reject })
    })
}
