import { spawn, spawnSync } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync, readlinkSync, rmSync, statSync, truncateSync } from 'node:fs'
import { createServer } from 'node:net'
import { basename, join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { DatabaseRefused } from './errors.ts'
import type { LaunchCommand } from './postgres-launch.ts'
import { isAlive } from './postgres-state.ts'

/** The running server of a cluster: found, started, awaited, stopped. PostgreSQL's own `postmaster.pid` is what is read. */

const POLL_MS = 20
/** Replaying a write-ahead log of gigabytes after a crash takes minutes. */
const READY_DEADLINE_MS = 300_000
const STOP_DEADLINE_MS = 15_000
const LOG_BYTES = 1_000_000

/** What the server says of itself and no error of a statement, whose text may hold a value: those go to who asked. */
const QUIET_LOG = {
  log_min_messages: 'log',
  log_error_verbosity: 'terse',
  log_min_error_statement: 'panic',
  log_statement: 'none',
  log_checkpoints: 'off',
  log_min_duration_statement: '-1',
  log_parameter_max_length: '0',
  log_parameter_max_length_on_error: '0',
}

/** Loopback by TCP alone: no socket files with their length limit and permissions; nothing here listens for strangers. */
function settings(port: number, durable: boolean): string[] {
  const chosen: Record<string, string> = {
    ...QUIET_LOG,
    cluster_name: 'wardline',
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    max_connections: '200',
    timezone: 'UTC',
    log_timezone: 'UTC',
    jit: 'off',
    max_wal_size: '4GB',
    ...(durable ? {} : { fsync: 'off', full_page_writes: 'off' }),
  }
  return Object.entries(chosen).flatMap(([name, value]) => ['-c', `${name}=${value}`])
}

/** The number of the process that serves this cluster, where one does; a leftover of a crash is not one. */
export function findPostmaster(clusterDir: string): number | undefined {
  const pid = Number.parseInt(pidFile(clusterDir)[0] ?? '', 10)
  return pid > 1 && isAlive(pid) && isPostgres(pid) ? pid : undefined
}

/** Removes a `postmaster.pid` whose process is gone, or is something else by now, which PostgreSQL cannot tell itself. */
export function forgetDeadPostmaster(clusterDir: string): void {
  rmSync(join(clusterDir, 'postmaster.pid'), { force: true })
}

function pidFile(clusterDir: string): string[] {
  try {
    return readFileSync(join(clusterDir, 'postmaster.pid'), 'utf8').split('\n')
  } catch (error) {
    // There is none; or it went this moment, with a PostgreSQL that has ended.
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

function isPostgres(pid: number): boolean {
  if (process.platform !== 'linux') {
    return spawnSync('ps', ['-p', String(pid), '-o', 'comm='], { encoding: 'utf8' }).stdout.includes('postgres')
  }
  try {
    return basename(readlinkSync(`/proc/${pid}/exe`)).startsWith('postgres')
  } catch (error) {
    // The link is closed to other users, the name is not. No link at all: it has ended and waits to be reaped.
    if ((error as NodeJS.ErrnoException).code !== 'EACCES') return false
    return existsSync(`/proc/${pid}/comm`) && readFileSync(`/proc/${pid}/comm`, 'utf8').startsWith('postgres')
  }
}

/** A free TCP port of the loopback, `wanted` where that is still free. */
export async function freePort(wanted?: number): Promise<number> {
  const listen = (port: number) =>
    new Promise<number>((resolve, reject) => {
      const server = createServer()
      server.once('error', reject)
      server.listen(port, '127.0.0.1', () => {
        const address = server.address()
        server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : port))
      })
    })
  return wanted === undefined ? listen(0) : listen(wanted).catch(() => listen(0))
}

/**
 * Starts the server of a cluster and waits until it takes connections. It belongs to a session of its own: Ctrl-C is for
 * Wardline, which stops it when its own work is done.
 *
 * @param logFile its messages; begun anew when it has grown
 * @throws DatabaseRefused with the server's last words
 */
export async function launchPostmaster(
  command: LaunchCommand,
  clusterDir: string,
  logFile: string,
  port: number,
  durable: boolean,
): Promise<void> {
  if (existsSync(logFile) && statSync(logFile).size > LOG_BYTES) truncateSync(logFile)
  const logStart = existsSync(logFile) ? statSync(logFile).size : 0
  const log = openSync(logFile, 'a', 0o600)
  const child = spawn(command.file, [...command.args, ...settings(port, durable)], {
    ...command.options,
    detached: true,
    stdio: ['ignore', log, log],
  })
  closeSync(log)
  let exited: string | undefined
  child.once('error', (error) => {
    exited = error.message
  })
  child.once('exit', (code, signal) => {
    exited = `exit ${code ?? signal}`
  })
  const deadline = performance.now() + READY_DEADLINE_MS
  while (pidFile(clusterDir)[7]?.trim() !== 'ready') {
    if (exited !== undefined) {
      throw new DatabaseRefused(`The embedded PostgreSQL did not start (${exited}): ${lastWords(logFile, logStart)}`)
    }
    if (performance.now() > deadline) {
      throw new DatabaseRefused(
        `The embedded PostgreSQL is not ready after ${READY_DEADLINE_MS / 1000} s: see ${logFile}.`,
      )
    }
    await pause(POLL_MS)
  }
  child.unref()
}

function lastWords(logFile: string, from: number): string {
  const lines = readFileSync(logFile).subarray(from).toString('utf8').trim().split('\n')
  const fatal = lines.findLast((line) => /FATAL|PANIC|error/i.test(line)) ?? lines.at(-1) ?? ''
  return `${fatal.replace(/^.*?(FATAL|PANIC):\s*/, '').slice(0, 300)} (${logFile})`
}

/** Stops the server of a cluster: sessions are ended, what was committed is on disk. Harder when it does not go. */
export async function stopPostmaster(clusterDir: string, pid: number): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    try {
      process.kill(pid, signal)
    } catch {
      return
    }
    const deadline = performance.now() + STOP_DEADLINE_MS
    while (performance.now() < deadline) {
      if (findPostmaster(clusterDir) !== pid) return
      await pause(POLL_MS)
    }
  }
}
