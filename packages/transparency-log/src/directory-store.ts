import { readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { equalBytes } from './bytes.ts'
import { createFile, isCode, readIfThere, replaceFile } from './durable-file.ts'
import { assertStorePath, isReplaced, type ReadableStore, StoreConflictError, type TileStore } from './tile-store.ts'

/** Where files are written before they get their name: on the same file system, outside the paths of tlog-tiles. */
const STAGING = '.staging'

/**
 * A log in `folder`, made when first written to. After a crash a file is there whole or not at all, and of two writers
 * at once of one path, one fails. Files that are not replaced are made read-only (0444). With `keepPartials`, nothing is
 * ever deleted.
 */
export function directoryStore(folder: string, options: { keepPartials?: boolean } = {}): TileStore & ReadableStore {
  const root = path.resolve(folder)
  const staging = path.join(root, STAGING)
  const locate = (name: string): string => {
    assertStorePath(name)
    return path.join(root, ...name.split('/'))
  }
  const store: TileStore & ReadableStore = {
    read: async (name) => readIfThere(locate(name)),
    async write(name, bytes) {
      const target = locate(name)
      if (isReplaced(name)) return replaceFile(target, bytes, 0o644, staging)
      const there = await readIfThere(target)
      if (there === undefined && (await createFile(target, bytes, 0o444, staging))) return
      // Of two at once one was faster; what it wrote is looked at like what was there before.
      const present = there ?? (await readIfThere(target))
      if (present === undefined || !equalBytes(present, bytes)) throw new StoreConflictError(name)
    },
    async *list(below) {
      yield* walk(locate(below), below)
    },
  }
  if (options.keepPartials === true) return store
  return {
    ...store,
    async removePartials(name) {
      const full = locate(name)
      if ((await readIfThere(full)) !== undefined) await rm(`${full}.p`, { recursive: true, force: true })
    },
  }
}

async function* walk(folder: string, name: string): AsyncGenerator<string> {
  const items = await readdir(folder, { withFileTypes: true }).catch((error: unknown) => {
    if (isCode(error, 'ENOENT', 'ENOTDIR')) return []
    throw error
  })
  for (const item of items) {
    if (item.isDirectory()) yield* walk(path.join(folder, item.name), `${name}/${item.name}`)
    else yield `${name}/${item.name}`
  }
}
