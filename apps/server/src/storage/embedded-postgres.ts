import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import pg from 'pg'
import { DatabaseRefused, errorCode, sqlState } from './errors.ts'
import { chooseLauncher, type Isolation, type Launcher } from './postgres-launch.ts'
import { findPostmaster, forgetDeadPostmaster, freePort, launchPostmaster, stopPostmaster } from './postgres-process.ts'
import {
  livingHolders,
  newHolder,
  type PostgresState,
  readState,
  withFolderLock,
  writeState,
} from './postgres-state.ts'

export type EmbeddedPostgresOptions = {
  /** `$WARDLINE_DATA`. The cluster is in `postgres/` below it, the way in in `postgres.json`. */
  readonly dataDir: string
  /** False gives up safety against power loss, not against a crash, for speed: tests alone. */
  readonly durable?: boolean
  /** Forces one way of running without root (tests). */
  readonly isolation?: Isolation
}

export type EmbeddedPostgres = {
  /** Of the owner of the database, with its password: migrations and administration. */
  readonly url: string
  /** It was running already. */
  readonly adopted: boolean
  /**
   * Starts it again, at the same address, where it has died: nobody else watches over it. True where that was needed; of
   * several holders one does it. @throws DatabaseRefused
   */
  revive(): Promise<boolean>
  /** Leaves it; the last to leave stops it. */
  stop(): Promise<void>
}

const OWNER = 'wardline'
const DATABASE = 'wardline'
const CONNECT_TIMEOUT_MS = 5_000
/** One that lives and does not answer for so long is stopped and started anew. */
const ANSWER_DEADLINE_MS = 15_000
const ANSWER_POLL_MS = 100
const PORT_TRIES = 3
/** The processes of one that was killed notice it and end; until then they hold its memory. */
const ORPHANS_DEADLINE_MS = 15_000

/**
 * Starts the PostgreSQL that comes from npm, or joins the one that already serves this data folder: another server's, the
 * CLI's, or one that outlived a server that was killed. Run by root it runs as somebody else (postgres-launch.ts).
 *
 * @throws DatabaseRefused: a folder of another PostgreSQL version, or in use by a PostgreSQL that is not ours
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const dataDir = resolve(options.dataDir)
  mkdirSync(dataDir, { recursive: true, mode: 0o700 })
  const holder = newHolder()
  const { state, adopted } = await withFolderLock(dataDir, async () => {
    const known = readState(dataDir)
    const launcher = chooseLauncher(dataDir, known?.clusterDir, options.isolation)
    const joined = known && (await joinRunning(known, launcher))
    const state = joined ? known : await start(dataDir, launcher, known, options.durable ?? true)
    const holders = [...livingHolders(state), holder]
    writeState(dataDir, { ...state, holders })
    return { state, adopted: joined === true }
  })
  let stopped: Promise<void> | undefined
  return {
    url: state.url,
    adopted,
    revive: async () =>
      stopped === undefined && hasDied(state) && withFolderLock(dataDir, () => revive(state, options)),
    stop() {
      stopped ??= withFolderLock(dataDir, () => leave(dataDir, holder))
      return stopped
    },
  }
}

function hasDied({ clusterDir }: PostgresState): boolean {
  return findPostmaster(clusterDir) === undefined
}

async function revive(held: PostgresState, { dataDir, durable, isolation }: EmbeddedPostgresOptions): Promise<boolean> {
  if (!hasDied(held)) return false
  const folder = resolve(dataDir)
  const launcher = chooseLauncher(folder, held.clusterDir, isolation)
  const again = await start(folder, launcher, readState(folder) ?? held, durable ?? true)
  if (again.url === held.url) return true
  // Whoever holds it knows the old address alone.
  await stopPostmaster(held.clusterDir, findPostmaster(held.clusterDir) ?? 0)
  writeState(folder, { ...again, url: held.url })
  throw new DatabaseRefused(
    `Port ${new URL(held.url).port}, where the embedded PostgreSQL was, is in use by something else: end that, or start Wardline again.`,
  )
}

async function leave(dataDir: string, holder: string): Promise<void> {
  const state = readState(dataDir)
  if (state === undefined) return
  const holders = livingHolders(state).filter((other) => other !== holder)
  const pid = findPostmaster(state.clusterDir)
  if (holders.length === 0 && pid !== undefined) await stopPostmaster(state.clusterDir, pid)
  writeState(dataDir, { ...state, holders })
}

/** Whether the server that is known from before still serves and takes our password. */
async function joinRunning(known: PostgresState, launcher: Launcher): Promise<boolean> {
  const pid = findPostmaster(launcher.clusterDir)
  if (pid === undefined) return false
  const deadline = performance.now() + ANSWER_DEADLINE_MS
  while (performance.now() < deadline) {
    try {
      await ensureDatabase(known.url)
      return true
    } catch (error) {
      // 57P03: it is starting up or replaying its log. Anything else that it says itself will not pass.
      if (sqlState(error) !== undefined && sqlState(error) !== '57P03') throw inUse(launcher, pid, error)
      await pause(ANSWER_POLL_MS)
    }
  }
  await stopPostmaster(launcher.clusterDir, pid)
  return false
}

function inUse({ clusterDir }: Launcher, pid: number, cause: unknown): DatabaseRefused {
  return new DatabaseRefused(
    `${clusterDir} is in use by a PostgreSQL that Wardline did not start (process ${pid}, ${errorCode(cause)}): stop that one, or choose another WARDLINE_DATA.`,
    { cause },
  )
}

async function start(
  dataDir: string,
  launcher: Launcher,
  known: PostgresState | undefined,
  durable: boolean,
): Promise<PostgresState> {
  const { clusterDir } = launcher
  const pid = findPostmaster(clusterDir)
  if (pid !== undefined) throw inUse(launcher, pid, new Error('postgres.json is missing'))
  let url = known?.url
  if (!existsSync(join(clusterDir, 'PG_VERSION'))) {
    url = createCluster(dataDir, launcher, durable)
  } else {
    checkVersion(launcher)
    forgetDeadPostmaster(clusterDir)
    url ??= resetPassword(launcher)
  }
  const { password, port } = new URL(url)
  const logFile = join(dataDir, 'postgres.log')
  const deadline = performance.now() + ORPHANS_DEADLINE_MS
  for (let tries = 1; ; ) {
    const chosen = await freePort(tries === 1 && port !== '' ? Number(port) : undefined)
    const holders = known === undefined ? [] : livingHolders(known)
    const state = { url: urlOf(password, chosen), clusterDir, holders }
    // Known before it runs: whoever finds it running must be able to get in.
    writeState(dataDir, state)
    try {
      await launchPostmaster(launcher.command('postgres', ['-D', clusterDir]), clusterDir, logFile, chosen, durable)
      await ensureDatabase(state.url)
      return state
    } catch (error) {
      const why = error instanceof DatabaseRefused ? error.message : ''
      if (why.includes('pre-existing shared memory block') && performance.now() < deadline) {
        await pause(ANSWER_POLL_MS)
        continue
      }
      if (!why.includes('could not create any TCP/IP sockets') || tries === PORT_TRIES) throw error
      tries += 1
    }
  }
}

function urlOf(password: string, port: number | ''): string {
  return `postgresql://${OWNER}:${password}@127.0.0.1${port === '' ? '' : `:${port}`}/${DATABASE}`
}

/**
 * Makes the cluster whole or not at all. Returns its URL, without a port yet. The place has a name of its own each time: of a
 * start that was killed here, initdb may still be at work.
 */
function createCluster(dataDir: string, launcher: Launcher, durable: boolean): string {
  const password = randomBytes(24).toString('base64url')
  const partial = `${launcher.clusterDir}.new-${randomBytes(6).toString('hex')}`
  const passwordFile = `${partial}.password`
  removeLeftovers(launcher.clusterDir)
  mkdirSync(partial, { mode: 0o700 })
  writeFileSync(passwordFile, password, { mode: 0o600 })
  launcher.give(partial)
  launcher.give(passwordFile)
  const { file, args, options } = launcher.command('initdb', [
    ...['-D', partial, '-U', OWNER, '-A', 'scram-sha-256', `--pwfile=${passwordFile}`],
    ...['-E', 'UTF8', '--locale=C', '--no-instructions', ...(durable ? [] : ['--no-sync'])],
  ])
  const made = spawnSync(file, args, { ...options, encoding: 'utf8' })
  rmSync(passwordFile, { force: true })
  if (made.status !== 0) {
    const why = made.error?.message ?? made.stderr.trim().split('\n').at(-1) ?? ''
    throw new DatabaseRefused(`The embedded PostgreSQL could not be set up in ${dataDir}: ${why.slice(0, 300)}`)
  }
  const url = urlOf(password, '')
  writeState(dataDir, { url, clusterDir: launcher.clusterDir, holders: [] })
  renameSync(partial, launcher.clusterDir)
  return url
}

function removeLeftovers(clusterDir: string): void {
  const folder = dirname(clusterDir)
  for (const name of readdirSync(folder).filter((each) => each.startsWith(`${basename(clusterDir)}.new`))) {
    try {
      rmSync(join(folder, name), { recursive: true, force: true })
    } catch {
      // It is still written to, by a program that will find its folder gone.
    }
  }
}

function checkVersion({ clusterDir, major }: Launcher): void {
  const found = Number.parseInt(readFileSync(join(clusterDir, 'PG_VERSION'), 'utf8'), 10)
  if (found === major) return
  throw new DatabaseRefused(
    found > major
      ? `${clusterDir} was written by a newer Wardline (PostgreSQL ${found}, this one brings ${major}): start the newer version, or choose another WARDLINE_DATA.`
      : `${clusterDir} was written by an older Wardline (PostgreSQL ${found}, this one brings ${major}): dump it with the older version and restore it into a new WARDLINE_DATA.`,
  )
}

/** `postgres.json` is lost and the folder is ours: single-user mode gives the owner a new password. */
function resetPassword(launcher: Launcher): string {
  const password = randomBytes(24).toString('base64url')
  const { file, args, options } = launcher.command('postgres', ['--single', '-D', launcher.clusterDir, 'postgres'])
  const input = `ALTER ROLE ${OWNER} PASSWORD '${password}'\n`
  if (spawnSync(file, args, { ...options, input, stdio: ['pipe', 'ignore', 'ignore'] }).status !== 0) {
    throw new DatabaseRefused(
      `${launcher.clusterDir} cannot be opened without postgres.json: restore that file, or choose another WARDLINE_DATA.`,
    )
  }
  return urlOf(password, '')
}

/** Connects once; makes the database where it is not there yet. */
async function ensureDatabase(url: string): Promise<void> {
  const maintenance = new URL(url)
  maintenance.pathname = '/postgres'
  await withClient(maintenance.href, async (client) => {
    const { rowCount } = await client.query('SELECT 1 FROM pg_database WHERE datname = $1', [DATABASE])
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`)
  })
}

async function withClient(url: string, use: (client: pg.Client) => Promise<unknown>): Promise<void> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: CONNECT_TIMEOUT_MS })
  // A connection that breaks also tells the call that waits on it.
  client.on('error', () => undefined)
  await client.connect()
  try {
    await use(client)
  } finally {
    await client.end()
  }
}
