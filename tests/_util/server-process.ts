import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../apps/server/src/main.ts', import.meta.url))
/** Where Node keeps what it compiled: half of the work of a start, in tests that start many. */
const COMPILE_CACHE = join(tmpdir(), 'wardline-test-compile-cache')
/** The last line that the server says at its start. */
const IS_UP = 'Ctrl+C stops it.'

export type Outcome = {
  /** Null when a signal ended it. */
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly out: string
  readonly err: string
}

export type Address = {
  /** `https://localhost:<port>`. */
  readonly url: string
  readonly port: number
  /** The authority to trust. */
  readonly ca: Buffer
}

/** A server as an operator runs it: a process of its own, started by `main.ts`. */
export type ServerProcess = {
  readonly child: ChildProcess
  readonly pid: number
  /** Resolves when it says that it is up; rejects, with what it said, when it ends before. */
  readonly up: Promise<Address>
  /** Resolves when it is over, whichever way. */
  readonly ended: Promise<Outcome>
  /** What it has said so far on standard output and standard error. */
  said(): string
  /** Sends the signal and waits for the end; once ended, gives how. */
  end(signal?: NodeJS.Signals): Promise<Outcome>
}

/** Starts `main.ts` on `dataDir`. `env` in place of, or beside, a loopback address and any free port. */
export function spawnServer(
  dataDir: string,
  env: Readonly<Record<string, string>> = {},
  args: readonly string[] = [],
): ServerProcess {
  const settings = { WARDLINE_DATA: dataDir, WARDLINE_HOST: '127.0.0.1', WARDLINE_PORT: '0' }
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: { PATH, HOME, NODE_COMPILE_CACHE: COMPILE_CACHE, ...settings, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let out = ''
  let err = ''
  const ended = new Promise<Outcome>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal, out, err }))
  })
  const up = new Promise<Address>((resolve, reject) => {
    child.stdout.on('data', (chunk: Buffer) => {
      out += chunk.toString()
      if (out.includes(IS_UP)) resolve(addressOf(out, dataDir))
    })
    child.stderr.on('data', (chunk: Buffer) => {
      err += chunk.toString()
    })
    child.once('close', (code, signal) =>
      reject(new Error(`ended with ${signal ?? code} before it was up: ${out}${err}`)),
    )
  })
  // Whoever waits for the end alone expects none of this.
  up.catch(() => undefined)
  return {
    child,
    pid: child.pid ?? 0,
    up,
    ended,
    said: () => out + err,
    end(signal = 'SIGTERM') {
      child.kill(signal)
      return ended
    },
  }
}

function addressOf(said: string, dataDir: string): Address {
  const url = /https:\/\/localhost:\d+/.exec(said)?.[0] ?? ''
  const authority = join(dataDir, 'tls', 'authority.crt')
  return { url, port: Number(new URL(url).port), ca: existsSync(authority) ? readFileSync(authority) : Buffer.alloc(0) }
}

export type Account = {
  readonly tenant: string
  readonly username: string
  readonly password: string
  /** Of administrators. */
  readonly totpSecret?: string
}

/** The sign-in of one of the demonstration's people in a folder that a demonstration was started on: `riverside/nurse.lind`. */
export function demoAccount(dataDir: string, who: string): Account {
  const accounts = JSON.parse(readFileSync(join(dataDir, 'demo-accounts.json'), 'utf8')) as Account[]
  const found = accounts.find(({ tenant, username }) => `${tenant}/${username}` === who)
  if (found === undefined) throw new Error(`there is no account ${who}`)
  return found
}
