import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, mkdirSync, openSync, renameSync, unlinkSync, writeSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import path from 'node:path'

/**
 * Files that are there whole or not at all, whatever crashes: staged, fsynced, named, and the folder fsynced. Not through the thread
 * pool: a log writes some ten of them four times a second, on a thread of its own, and a promise for each of a dozen steps of each
 * costs more than all the hashing.
 */

/** The content of a file, or `undefined` where there is none. */
export async function readIfThere(file: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(file)
  } catch (error) {
    if (isCode(error, 'ENOENT', 'ENOTDIR')) return undefined
    throw error
  }
}

/** A file to be: its whole path and content. */
export type NewFile = { readonly file: string; readonly bytes: Uint8Array }

/** Puts `bytes` under the name `file`, over what is there, atomically. Staged in `staging`, on the same file system. */
export async function replaceFile(file: string, bytes: Uint8Array, mode: number, staging: string): Promise<void> {
  place([{ file, bytes }], mode, staging, renameSync)
}

/**
 * Puts each file under a name nothing has, in their order; all are durable once this resolves. False for each name that something has,
 * which stays as it is: a hard link is never made over a file. A file system without links gets an existence check and a rename.
 */
export async function createFiles(files: readonly NewFile[], mode: number, staging: string): Promise<boolean[]> {
  const created: boolean[] = []
  try {
    place(files, mode, staging, (staged, target) => created.push(giveName(staged, target)))
  } catch (error) {
    if (!isCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EXDEV')) throw error
    for (const { file, bytes } of files.slice(created.length)) {
      const isFree = (await readIfThere(file)) === undefined
      if (isFree) await replaceFile(file, bytes, mode, staging)
      created.push(isFree)
    }
  }
  return created
}

/**
 * Stages all, then has all of them on disk, then names all, then has their folders on disk: a file system that keeps a journal writes it
 * twice for all of them, and not twice for each.
 */
function place(
  files: readonly NewFile[],
  mode: number,
  staging: string,
  name: (staged: string, target: string) => void,
): void {
  makeFolder(staging)
  const staged = files.map(() => path.join(staging, `.${randomBytes(9).toString('base64url')}`))
  const open: number[] = []
  try {
    for (const [i, { bytes }] of files.entries()) {
      const handle = openSync(staged[i] ?? '', 'wx', mode)
      open.push(handle)
      for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at)
    }
    for (const handle of open) fsyncSync(handle)
    const folders = new Set(files.map(({ file }) => path.dirname(file)))
    for (const folder of folders) makeFolder(folder)
    for (const [i, { file }] of files.entries()) name(staged[i] ?? '', file)
    for (const folder of folders) syncFolder(folder)
  } finally {
    for (const handle of open) closeSync(handle)
    for (const file of staged) removeIfThere(file)
  }
}

function giveName(staged: string, target: string): boolean {
  try {
    linkSync(staged, target)
    return true
  } catch (error) {
    if (isCode(error, 'EEXIST')) return false
    throw error
  }
}

function removeIfThere(file: string): void {
  try {
    unlinkSync(file)
  } catch (error) {
    if (!isCode(error, 'ENOENT')) throw error
  }
}

/** Makes a folder and its parents durable: each new name lives in the folder above it. */
function makeFolder(folder: string): void {
  const first = mkdirSync(folder, { recursive: true })
  if (first === undefined) return
  for (let at = folder; at.length >= first.length; at = path.dirname(at)) syncFolder(path.dirname(at))
}

function syncFolder(folder: string): void {
  const handle = openSync(folder, 'r')
  try {
    fsyncSync(handle)
  } finally {
    closeSync(handle)
  }
}

/** Whether an error is the file system's, of one of these kinds. */
export function isCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}
