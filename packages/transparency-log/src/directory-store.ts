import { readdir, rm } from 'node:fs/promises'
import path from 'node:path'
import { equalBytes } from './bytes.ts'
import { createFiles, isCode, readIfThere, replaceFile } from './durable-file.ts'
import type { LogFile } from './right-edge.ts'
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
  async function writeAll(files: readonly LogFile[]): Promise<void> {
    for (const { path: name, bytes } of files) {
      if (isReplaced(name)) await replaceFile(locate(name), bytes, 0o644, staging)
    }
    const fixed = files.filter((file) => !isReplaced(file.path))
    const targets = fixed.map(({ path: name, bytes }) => ({ file: locate(name), bytes }))
    const created = fixed.length === 0 ? [] : await createFiles(targets, 0o444, staging)
    for (const [i, { path: name, bytes }] of fixed.entries()) {
      if (created[i] === true) continue
      const present = await readIfThere(locate(name))
      if (present === undefined || !equalBytes(present, bytes)) throw new StoreConflictError(name)
    }
  }

  const store: TileStore & ReadableStore = {
    read: async (name) => readIfThere(locate(name)),
    write: (name, bytes) => writeAll([{ path: name, bytes }]),
    writeAll,
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
