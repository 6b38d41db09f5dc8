import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rename, unlink } from 'node:fs/promises'
import path from 'node:path'

/** Files that are there whole or not at all, whatever crashes: staged, fsynced, named, and the folder fsynced. */

/** The content of a file, or `undefined` where there is none. */
export async function readIfThere(file: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(file)
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}

/** Puts `bytes` under the name `file`, over what is there, atomically. Staged in `staging`, on the same file system. */
export async function replaceFile(file: string, bytes: Uint8Array, mode: number, staging: string): Promise<void> {
  await place(file, bytes, mode, staging, rename)
}

/**
 * Puts `bytes` under a name nothing has. False where something has it, which stays as it is: a hard link is never made
 * over a file. A file system without links gets an existence check and a rename.
 */
export async function createFile(file: string, bytes: Uint8Array, mode: number, staging: string): Promise<boolean> {
  let created = false
  await place(file, bytes, mode, staging, async (staged, target) => {
    created = await giveName(staged, target)
  })
  return created
}

async function place(
  file: string,
  bytes: Uint8Array,
  mode: number,
  staging: string,
  name: (staged: string, target: string) => Promise<void>,
): Promise<void> {
  const folder = path.dirname(file)
  const staged = await stage(staging, bytes, mode)
  try {
    await makeFolder(folder)
    await name(staged, file)
    await syncFolder(folder)
  } finally {
    await unlink(staged).catch((error: unknown) => {
      if (!isCode(error, 'ENOENT')) throw error
    })
  }
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

/** Whether an error is the file system's, of one of these kinds. */
export function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}
