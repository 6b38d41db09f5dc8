import { equalBytes } from './bytes.ts'
import { assertStorePath, isReplaced, type ReadableStore, StoreConflictError, type TileStore } from './tile-store.ts'

/** A store in memory with the rules of the real ones, for tests. `files` is open for tampering with. */
export function memoryStore(): TileStore & ReadableStore & { readonly files: Map<string, Uint8Array> } {
  const files = new Map<string, Uint8Array>()
  return {
    files,
    async read(path) {
      assertStorePath(path)
      return files.get(path)?.slice()
    },
    async write(path, bytes) {
      assertStorePath(path)
      const there = files.get(path)
      if (there !== undefined && !isReplaced(path) && !equalBytes(there, bytes)) throw new StoreConflictError(path)
      files.set(path, bytes.slice())
    },
    async removePartials(path) {
      assertStorePath(path)
      if (!files.has(path)) return
      for (const name of files.keys()) if (name.startsWith(`${path}.p/`)) files.delete(name)
    },
    async *list(folder) {
      for (const name of files.keys()) if (name.startsWith(`${folder}/`)) yield name
    },
  }
}
