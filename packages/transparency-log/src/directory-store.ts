import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readdir, readFile, rename, rm, unlink } from 'node:fs/promises'
import path from 'node:path'
import { equalBytes } from './bytes.ts'
import {
  assertStorePath,
  CHECKPOINT_PATH,
  type ReadableStore,
  StoreConflictError,
  type TileStore,
} from './tile-store.ts'

/** Where files are written before they get their name: on the same file system, outside the paths of tlog-tiles. */
const STAGING = '.staging'

/**
 * A log in `folder`, made when first written to. A write is a staged file, fsync, then a hard link to its name
 * (which no file system does over an existing one), then fsync of the folders: after a crash a file is there whole or
 * not at all, and of two writers at once one fails. File systems without links get an existence check and a rename.
 * Files are made read-only (0444). With `keepPartials`, nothing is ever deleted.
 */
export function directoryStore(folder: string, options: { keepPartials?: boolean } = {}): TileStore & ReadableStore {
  const root = path.resolve(folder)
  const locate = (name: string): string => {
    assertStorePath(name)
    return path.join(root, ...name.split('/'))
  }
  const read = async (name: string): Promise<Uint8Array | undefined> => readIfThere(locate(name))
  const store: TileStore & ReadableStore = {
    read,
    async write(name, bytes) {
      const target = locate(name)
      const mutable = name === CHECKPOINT_PATH
      if (!mutable && (await isAlready(target, bytes, name))) return
      const staged = await stage(path.join(root, STAGING), bytes, mutable ? 0o644 : 0o444)
      try {
        await makeFolder(path.dirname(target))
        if (mutable) await rename(staged, target)
        else if (!(await giveName(staged, target))) await isAlready(target, bytes, name)
        await syncFolder(path.dirname(target))
      } finally {
        await unlink(staged).catch(ignoreAbsence)
      }
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

/** Writes a small file of one's own (no log path), atomically and durably; for what must survive a crash beside a log. */
export async function replaceFile(file: string, bytes: Uint8Array, mode = 0o600): Promise<void> {
  const target = path.resolve(file)
  await rename(await stage(path.dirname(target), bytes, mode), target)
  await syncFolder(path.dirname(target))
}

/** The content of a file, or `undefined` where there is none. */
export async function readIfThere(file: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(file)
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}

async function isAlready(file: string, bytes: Uint8Array, name: string): Promise<boolean> {
  const there = await readIfThere(file)
  if (there === undefined) return false
  if (!equalBytes(there, bytes)) throw new StoreConflictError(name)
  return true
}

async function stage(folder: string, bytes: Uint8Array, mode: number): Promise<string> {
  await makeFolder(folder)
  const staged = path.join(folder, `.${randomBytes(9).toString('base64url')}`)
  const file = await open(staged, 'wx', mode)
  try {
    await file.writeFile(bytes)
    await file.sync()
  } finally {
    await file.close()
  }
  return staged
}

/** False where the name was taken meanwhile. */
async function giveName(staged: string, target: string): Promise<boolean> {
  try {
    await link(staged, target)
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    if (!isCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV')) throw error
    if ((await readIfThere(target)) !== undefined) return false
    await rename(staged, target)
    return true
  }
}

/** Makes a folder and its parents durable: each new name lives in the folder above it. */
async function makeFolder(folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true })
  if (first === undefined) return
  for (let at = folder; at.length >= first.length; at = path.dirname(at)) await syncFolder(path.dirname(at))
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
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

function ignoreAbsence(error: unknown): void {
  if (!isCode(error, 'ENOENT')) throw error
}

function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}
