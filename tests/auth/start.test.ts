import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../_util/database.ts'
import { call } from '../_util/https.ts'

const MAIN = fileURLToPath(new URL('../../apps/server/src/main.ts', import.meta.url))
let database: TestDatabase
let folder: string
const children: ChildProcess[] = []

beforeAll(async () => {
  database = await createTestDatabase()
})
afterAll(() => database.drop())
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'wardline-start-'))
  mkdirSync(join(folder, 'keys'), { mode: 0o700 })
  writeFileSync(join(folder, 'keys', 'root.key'), database.rootKey, { mode: 0o600 })
})
afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue
    child.kill('SIGKILL')
    await once(child, 'exit')
  }
  rmSync(folder, { recursive: true })
})

type Outcome = { code: number | null; out: string; err: string }

/** Starts the server as an operator does. `said` resolves once it says `words`; `ended` when it is over. */
function start(env: Record<string, string> = {}) {
  const settings = {
    WARDLINE_DATA: folder,
    WARDLINE_DATABASE_URL: database.ownerUrl,
    WARDLINE_PORT: '0',
    WARDLINE_HOST: '127.0.0.1',
    WARDLINE_LOG_FILE: join(folder, 'wardline.log'),
  }
  const { PATH = '', HOME = '' } = process.env
  const child = spawn(process.execPath, [MAIN], {
    env: { PATH, HOME, ...settings, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  children.push(child)
  let out = ''
  let err = ''
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    err += chunk.toString()
  })
  const ended = once(child, 'close').then(([code]): Outcome => ({ code: code as number | null, out, err }))
  const said = (words: string) =>
    expect
      .poll(() => out + err, { timeout: 30_000, interval: 50 })
      .toContain(words)
      .then(() => out)
  return { child, ended, said }
}

/** One line for each problem, each of which says what to do; no stack. */
function expectLines({ err }: Outcome, ...lines: RegExp[]): void {
  const said = err.trimEnd().split('\n')
  expect(said).toHaveLength(lines.length)
  for (const [index, line] of lines.entries()) expect(said[index]).toMatch(line)
}

describe('a start that cannot be', () => {
  test('wrong settings: all at once, one line each, exit 78', async () => {
    const outcome = await start({ WARDLINE_PORT: 'abc', WARDLINE_ALLOWED_ORIGINS: '*', WARDLINE_TYPO: '1' }).ended
    expect(outcome.code).toBe(78)
    expectLines(
      outcome,
      /^wardline: WARDLINE_TYPO: there is no such setting/,
      /^wardline: WARDLINE_PORT: give a whole number/,
      /^wardline: WARDLINE_ALLOWED_ORIGINS: give exact origins/,
    )
  })

  test('a port in use: one line, exit 1', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const outcome = await start({ WARDLINE_PORT: String(port) }).ended
    taken.close()
    expect(outcome.code).toBe(1)
    expectLines(outcome, new RegExp(`^wardline: Port ${port} is in use: stop what listens there, or set WARDLINE_PORT`))
  })

  test('an address that is not this machine’s: one line, exit 1', async () => {
    const outcome = await start({ WARDLINE_HOST: '192.0.2.1' }).ended
    expect(outcome.code).toBe(1)
    expectLines(outcome, /^wardline: 192\.0\.2\.1 is no address of this machine: set WARDLINE_HOST/)
  })

  test('a database that does not answer: one line without its password, exit 1', async () => {
    const outcome = await start({ WARDLINE_DATABASE_URL: 'postgresql://owner:CANARY@127.0.0.1:1/wardline' }).ended
    expect(outcome.code).toBe(1)
    expectLines(outcome, /^wardline: .*WARDLINE_DATABASE_URL/)
    expect(outcome.err).not.toContain('CANARY')
  })

  test('another root key than the database was made with: one line, exit 1, nothing changed', async () => {
    writeFileSync(join(folder, 'keys', 'root.key'), Buffer.alloc(32, 7), { mode: 0o600 })
    const outcome = await start().ended
    expect(outcome.code).toBe(1)
    expectLines(outcome, /^wardline: The root key .* is not the one this database was made with/)
  })

  test.each(['root.key', 'signing'])('a key that others may read (%s): one line, exit 1', async (name) => {
    if (name === 'signing') {
      mkdirSync(join(folder, 'keys', 'signing'))
      writeFileSync(join(folder, 'keys', 'signing', 'a.json'), '{}')
    }
    chmodSync(join(folder, 'keys', ...(name === 'signing' ? ['signing', 'a.json'] : [name])), 0o644)
    const outcome = await start().ended
    expect(outcome.code).toBe(1)
    expectLines(outcome, /^wardline: .*chmod 600/)
  })

  test('a database from a newer version: one line, exit 1', async () => {
    const newer = await createTestDatabase()
    await newer.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
       VALUES (gen_random_uuid()::text, 'x', '99990101000000_from_the_future', now(), 1)`,
    )
    const outcome = await start({ WARDLINE_DATABASE_URL: newer.ownerUrl }).ended
    await newer.drop()
    expect(outcome.code).toBe(1)
    expectLines(outcome, /^wardline: .*newer/)
  })
})

describe('a start', () => {
  test('says where, serves, and ends with 0 on SIGTERM', async () => {
    const server = start()
    const said = await server.said('Ctrl+C')
    const url = /https:\/\/localhost:\d+/.exec(said)?.[0] ?? ''
    const ca = readFileSync(join(folder, 'tls', 'authority.crt'))
    expect((await call({ url, ca }, { path: '/readyz' })).status).toBe(200)
    server.child.kill('SIGTERM')
    const { code, err } = await server.ended
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const [event] = await database.query<{ event: Buffer }>(
      'SELECT event FROM audit_outbox ORDER BY at DESC, writer_seq DESC LIMIT 1',
    )
    expect(JSON.parse(event?.event.toString() ?? '')).toMatchObject({ action: 'server.stop', outcome: 'allowed' })
  })

  test('of a demonstration: says so, and writes its sign-ins where only their owner reads them', async () => {
    const server = start({ WARDLINE_DEMO: '1' })
    const said = await server.said('Ctrl+C')
    expect(said).toContain('DEMO')
    const file = join(folder, 'demo-accounts.json')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const accounts = JSON.parse(readFileSync(file, 'utf8')) as {
      tenant: string
      username: string
      password: string
      roles: string[]
    }[]
    expect(accounts.map(({ tenant, username }) => `${tenant}/${username}`)).toContain('riverside/nurse.lind')
    for (const { username, password } of accounts) expect(said).toMatch(new RegExp(`${username} +${password}`))
    const url = /https:\/\/localhost:\d+/.exec(said)?.[0] ?? ''
    const ca = readFileSync(join(folder, 'tls', 'authority.crt'))
    const about = await call({ url, ca }, { path: '/api/v1/about' })
    expect(about.body).toEqual({ demo: true })
    expect(about.headers['strict-transport-security']).toBe('max-age=300')
    server.child.kill('SIGINT')
    expect((await server.ended).code).toBe(0)
  })
})
