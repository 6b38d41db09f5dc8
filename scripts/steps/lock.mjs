import { randomUUID } from 'node:crypto'
import { linkSync, mkdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { memory } from './places.mjs'
import { Stop } from './progress.mjs'

const POLL_MS = 200
/** Longer than the slowest first install on a slow line. */
const GIVE_UP_MS = 20 * 60_000

/**
 * Runs `work` while no other run in this clone does. A lock whose process has died is taken over.
 *
 * @template T
 * @param {() => Promise<T>} work
 * @param {string} [folder] where the lock is kept
 * @returns {Promise<T>}
 */
export async function alone(work, folder = memory) {
  mkdirSync(folder, { recursive: true })
  const path = join(folder, 'lock')
  const started = performance.now()
  let said = false
  while (!take(path)) {
    const holder = holderOf(path)
    if (holder !== undefined && !isAlive(holder)) {
      removeStale(path, holder)
      continue
    }
    if (performance.now() - started > GIVE_UP_MS) {
      throw new Stop(`Process ${holder} has been preparing this clone for too long: end it, or delete ${path}.`)
    }
    if (!said) process.stderr.write(`wardline: waiting for process ${holder ?? '?'}, which is preparing this clone\n`)
    said = true
    await delay(POLL_MS)
  }
  try {
    return await work()
  } finally {
    unlinkSync(path)
  }
}

/**
 * @param {string} path
 * @returns {boolean} whether the lock is now ours. The file appears with its content: it is linked, not written.
 */
function take(path) {
  const mine = `${path}.${process.pid}.${randomUUID()}`
  writeFileSync(mine, String(process.pid))
  try {
    linkSync(mine, path)
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  } finally {
    unlinkSync(mine)
  }
}

/**
 * Takes a dead holder's lock away. Two runs may try at once: what was moved aside is looked at again, and put back
 * if it turns out to be the other run's new lock.
 *
 * @param {string} path
 * @param {number} holder
 */
function removeStale(path, holder) {
  const aside = `${path}.stale.${process.pid}`
  try {
    renameSync(path, aside)
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return
    throw error
  }
  try {
    if (holderOf(aside) !== holder) linkSync(aside, path)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  } finally {
    unlinkSync(aside)
  }
}

/**
 * @param {string} path
 * @returns {number | undefined} the process id in a lock file
 */
function holderOf(path) {
  try {
    return Number(readFileSync(path, 'utf8'))
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined
    throw error
  }
}

/**
 * @param {number} pid
 * @returns {boolean}
 */
function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM: alive, and another user's.
    return codeOf(error) === 'EPERM'
  }
}

/**
 * @param {unknown} error
 * @returns {string | undefined} as ENOENT
 */
function codeOf(error) {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}
