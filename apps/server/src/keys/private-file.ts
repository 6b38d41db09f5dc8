import { randomBytes } from 'node:crypto'
import { link, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { StartError } from '../errors.ts'

/** Windows has no such modes: there the folder's access list is all that counts. */
const MODES_COUNT = process.platform !== 'win32'

/**
 * The text of a file that holds a private key, or null when there is none.
 * @throws StartError when anybody but its owner may read it.
 */
export async function readPrivateFile(path: string): Promise<string | null> {
  try {
    const { mode } = await stat(path)
    if (MODES_COUNT && (mode & 0o077) !== 0) {
      throw new StartError(
        `${path} holds a private key and others may read it: chmod 600 it, and replace it if it leaked.`,
      )
    }
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null
    throw error
  }
}

/**
 * Writes a file that only its owner may read, wholly or not at all; it is on disk when this returns. `once`: where a file
 * is already there it stays, also when two processes begin together.
 * @returns whether it is this text that is there now.
 */
export async function writePrivateFile(path: string, text: string, mode: 'once' | 'replace'): Promise<boolean> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const draft = `${path}.${randomBytes(6).toString('hex')}`
  try {
    const file = await open(draft, 'wx', 0o600)
    try {
      await file.writeFile(text)
      await file.sync()
    } finally {
      await file.close()
    }
    if (mode === 'replace') await rename(draft, path)
    else await link(draft, path)
    return true
  } catch (error) {
    if (mode === 'once' && error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  } finally {
    await rm(draft, { force: true })
  }
}
