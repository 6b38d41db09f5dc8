import { randomBytes } from 'node:crypto'
import { existsSync, linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { z } from 'zod'
import { DatabaseRefused } from './errors.ts'

/**
 * `$WARDLINE_DATA/postgres.json` (0600): how to reach the embedded PostgreSQL of this folder, and who uses it. The last of
 * its holders to leave stops it, so that neither the CLI nor a second server pulls it away from the other.
 */
const stateSchema = z.object({
  /** Of the owner of the database, with its password. */
  url: z.url(),
  clusterDir: z.string(),
  /** `<pid>.<random>` of each process that uses it. */
  holders: z.array(z.string().regex(/^\d+\.[0-9a-f]+$/)),
})

export type PostgresState = z.infer<typeof stateSchema>

const STATE_FILE = 'postgres.json'
const LOCK_FILE = 'postgres.lock'
const LOCK_POLL_MS = 50
/** A start after a crash replays the write-ahead log, which may take its time; beyond this somebody must look. */
const LOCK_DEADLINE_MS = 120_000

/** What this process has taken itself: the same number under another name is a process that is gone. */
const heldHere = new Set<string>()

export function newHolder(): string {
  const holder = `${process.pid}.${randomBytes(6).toString('hex')}`
  heldHere.add(holder)
  return holder
}

export function livingHolders(state: PostgresState): string[] {
  return state.holders.filter((holder) => {
    const pid = Number.parseInt(holder, 10)
    return pid === process.pid ? heldHere.has(holder) : isAlive(pid)
  })
}

/** Undefined where there is none yet, or nothing that can be read as one. */
export function readState(dataDir: string): PostgresState | undefined {
  const path = join(dataDir, STATE_FILE)
  if (!existsSync(path)) return undefined
  try {
    return stateSchema.parse(JSON.parse(readFileSync(path, 'utf8')))
  } catch {
    return undefined
  }
}

/** Whole or not at all: a crash leaves the old one. To be called under the folder's lock. */
export function writeState(dataDir: string, state: PostgresState): void {
  const path = join(dataDir, STATE_FILE)
  const partial = `${path}.partial`
  writeFileSync(partial, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600, flush: true })
  renameSync(partial, path)
}

/**
 * Runs alone among all processes that start or stop the PostgreSQL of this folder. A lock whose process is gone is taken
 * over. @throws DatabaseRefused when another process holds it for too long.
 */
export async function withFolderLock<T>(dataDir: string, run: () => Promise<T>): Promise<T> {
  const path = join(dataDir, LOCK_FILE)
  const deadline = performance.now() + LOCK_DEADLINE_MS
  while (!tryLock(path)) {
    if (performance.now() > deadline) {
      throw new DatabaseRefused(
        `${path} is held by process ${readFileSync(path, 'utf8').trim()}, which is still starting or stopping the database: wait for it or end it.`,
      )
    }
    await pause(LOCK_POLL_MS)
  }
  try {
    return await run()
  } finally {
    heldHere.delete(path)
    rmSync(path, { force: true })
  }
}

/** Linked into place with its content, so that there is never a lock without a name on it. */
function tryLock(path: string): boolean {
  const signed = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  writeFileSync(signed, String(process.pid), { mode: 0o600 })
  try {
    linkSync(signed, path)
    heldHere.add(path)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    removeStaleLock(path)
    return false
  } finally {
    rmSync(signed)
  }
}

/** Moves the lock of a dead process aside; what turns out to be somebody's fresh one is put back. */
function removeStaleLock(path: string): void {
  if (!isStale(path)) return
  const aside = `${path}.${process.pid}.${randomBytes(4).toString('hex')}`
  try {
    renameSync(path, aside)
    if (!isStale(aside)) linkSync(aside, path)
    rmSync(aside)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code !== 'ENOENT' && code !== 'EEXIST') throw error
    rmSync(aside, { force: true })
  }
}

function isStale(path: string): boolean {
  try {
    const pid = Number.parseInt(readFileSync(path, 'utf8'), 10)
    // In a container a process may find its own number on what its predecessor left.
    return pid === process.pid ? !heldHere.has(path.replace(/\.lock\..*$/, '.lock')) : !isAlive(pid)
  } catch {
    return false
  }
}

/** Whether a process of that number exists, whoever owns it. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}
