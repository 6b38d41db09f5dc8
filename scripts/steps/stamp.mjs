import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { root } from './places.mjs'

/** Folders that hold what is made, never what it is made from. */
const MADE = new Set(['node_modules', 'dist', 'dist.next', 'generated', '.git'])

/**
 * A digest of what a step is made from: it changes when any of the named files (or files under the named folders)
 * appears, goes or changes.
 *
 * @param {string[]} paths relative to the repository; missing ones count as missing
 * @param {string[]} [facts] anything else that decides the outcome, such as a version or the platform
 * @returns {string}
 */
export function digestOf(paths, facts = []) {
  const hash = createHash('sha256')
  for (const fact of facts) hash.update(`${fact}\0`)
  for (const path of paths) {
    for (const file of filesAt(join(root, path))) {
      hash.update(`${relative(root, file)}\0`)
      hash.update(createHash('sha256').update(readFileSync(file)).digest())
    }
  }
  return hash.digest('hex')
}

/**
 * @param {string} path a file or a folder, absolute
 * @returns {string[]} the files at or under it, in a stable order
 */
function filesAt(path) {
  const stats = statSync(path, { throwIfNoEntry: false })
  if (stats === undefined) return []
  if (!stats.isDirectory()) return [path]
  return readdirSync(path)
    .filter((name) => !MADE.has(name))
    .sort()
    .flatMap((name) => filesAt(join(path, name)))
}

/**
 * @param {string} path where a step left its digest
 * @returns {string | undefined}
 */
export function readStamp(path) {
  return existsSync(path) ? readFileSync(path, 'utf8') : undefined
}

/**
 * Writes a digest whole or not at all, so that a run killed half-way is never taken for a finished one.
 *
 * @param {string} path
 * @param {string} digest
 */
export function writeStamp(path, digest) {
  mkdirSync(dirname(path), { recursive: true })
  const unfinished = `${path}.${process.pid}`
  writeFileSync(unfinished, digest)
  renameSync(unfinished, path)
}

/** @param {string} path */
export function removeStamp(path) {
  rmSync(path, { force: true })
}
