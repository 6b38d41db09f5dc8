import { createHash } from 'node:crypto'
import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from './_util/database.ts'
import { call } from './_util/https.ts'
import { type Outcome, type ServerProcess, spawnServer } from './_util/server-process.ts'

const root = mkdtempSync(join(tmpdir(), 'wardline-start-'))
/** A data folder after a first start; each test has a copy of its own. */
const settled = join(root, 'settled')
let database: TestDatabase
let folder: string
let tests = 0
const running: ServerProcess[] = []
const listeners: Server[] = []

beforeAll(async () => {
  database = await createTestDatabase()
  mkdirSync(join(settled, 'keys'), { recursive: true, mode: 0o700 })
  writeFileSync(join(settled, 'keys', 'root.key'), database.rootKey, { mode: 0o600 })
  folder = settled
  const first = start()
  await first.up
  await first.end()
})
beforeEach(() => {
  tests += 1
  folder = join(root, String(tests))
  cpSync(settled, folder, { recursive: true })
})
afterEach(async () => {
  await Promise.all(running.splice(0).map((each) => each.end('SIGKILL')))
  for (const listener of listeners.splice(0)) listener.close()
})
afterAll(async () => {
  await database.drop()
  rmSync(root, { recursive: true })
})

function start(env: Record<string, string> = {}, args: readonly string[] = []): ServerProcess {
  const log = { WARDLINE_LOG_FILE: join(root, 'wardline.log'), WARDLINE_DATABASE_URL: database.ownerUrl }
  const server = spawnServer(folder, { ...log, ...env }, args)
  running.push(server)
  return server
}

/** All that the database holds, in a word; but for the places of the audit log, which goes on whoever starts. */
async function stateOfDatabase(): Promise<string> {
  const [row] = await database.query<{ state: string }>(
    `SELECT string_agg(md5(query_to_xml(format('SELECT t::text AS r FROM %s t ORDER BY 1', oid::regclass), true, false, '')::text), ' ' ORDER BY oid) AS state
     FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`,
  )
  return row?.state ?? ''
}

/** All that the data folder holds, but for the audit log. */
function stateOfFolder(): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => !name.includes('audit-log'))
    .sort()
    .map((name) => {
      const path = join(folder, name)
      const info = statSync(path)
      const content = info.isFile() ? createHash('sha256').update(readFileSync(path)).digest('hex') : ''
      return `${name} ${info.mode.toString(8)} ${content}`
    })
}

/** It ends by itself, with so many lines that each say what to do, and has left everything as it was. */
async function expectRefused(env: Record<string, string>, code: number, ...lines: RegExp[]): Promise<Outcome> {
  const before = { database: await stateOfDatabase(), folder: stateOfFolder() }
  const outcome = await start(env).ended
  const said = outcome.err.trimEnd().split('\n')
  expect(said, outcome.err).toHaveLength(lines.length)
  for (const [place, line] of lines.entries()) expect(said[place]).toMatch(line)
  for (const line of said) expect(line).toMatch(/^wardline: /)
  expect(outcome.err).not.toMatch(/\n {4}at |Error:|CANARY|node_modules/)
  expect(outcome).toMatchObject({ code, out: '' })
  expect({ database: await stateOfDatabase(), folder: stateOfFolder() }).toEqual(before)
  return outcome
}

/** A port where somebody listens, and what they do with whoever comes. */
async function portOf(answer: (socket: Socket) => void): Promise<number> {
  const listener = createServer(answer).listen(0, '127.0.0.1')
  listeners.push(listener)
  await once(listener, 'listening')
  return (listener.address() as AddressInfo).port
}

describe('a start that cannot be: one line that says what to do, nothing changed', () => {
  test('wrong settings: all at once, one line each, exit 78', async () => {
    await expectRefused(
      {
        WARDLINE_PORT: 'abc',
        WARDLINE_ALLOWED_ORIGINS: '*',
        WARDLINE_TYPO: 'CANARY',
        WARDLINE_DATABASE_URL: 'mysql://user:CANARY@host/db',
        WARDLINE_ARGON2_MEMORY_KIB: '8',
      },
      78,
      /WARDLINE_TYPO: there is no such setting/,
      /WARDLINE_PORT: give a whole number from 0 to 65535/,
      /WARDLINE_DATABASE_URL: give a URL as postgresql/,
      /WARDLINE_ALLOWED_ORIGINS: give exact origins/,
      /WARDLINE_ARGON2_MEMORY_KIB: give a whole number from 19456/,
    )
  })

  test('a secret in a file that is not there, and one given twice: exit 78', async () => {
    await expectRefused(
      { WARDLINE_DATABASE_URL_FILE: '/run/secrets/none', WARDLINE_DATABASE_URL: '' },
      78,
      /WARDLINE_DATABASE_URL_FILE: cannot be read \(ENOENT\)/,
    )
    await expectRefused(
      { WARDLINE_DATABASE_URL_FILE: '/etc/hostname' },
      78,
      /WARDLINE_DATABASE_URL: is set directly and by/,
    )
  })

  test('a port in use', async () => {
    const port = await portOf(() => undefined)
    await expectRefused(
      { WARDLINE_PORT: String(port) },
      1,
      new RegExp(`Port ${port} is in use: stop what listens there, or set WARDLINE_PORT`),
    )
  })

  test('an address that is not this machine’s', async () => {
    await expectRefused(
      { WARDLINE_HOST: '192.0.2.1' },
      1,
      /192\.0\.2\.1 is no address of this machine: set WARDLINE_HOST/,
    )
  })

  test('a database that is not there, does not answer, or is none', async () => {
    const unreachable = /cannot be reached .*: check that it runs and that WARDLINE_DATABASE_URL is right\.$/
    const web = await portOf((socket) => void socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'))
    const closed = await portOf((socket) => void socket.destroy())
    const silent = await portOf(() => undefined)
    const hosts = ['127.0.0.1:1', 'nowhere.invalid', ...[web, closed, silent].map((port) => `127.0.0.1:${port}`)]
    await Promise.all(
      hosts.map((host) =>
        expectRefused({ WARDLINE_DATABASE_URL: `postgresql://owner:CANARY@${host}/wardline` }, 1, unreachable),
      ),
    )
  })

  test('a database that does not let us in: the password is not repeated', async () => {
    const otherwise = (change: Partial<URL>) => Object.assign(new URL(database.ownerUrl), change).href
    const attempts: [string, RegExp][] = [
      [otherwise({ password: 'CANARY' }), /does not let this user in .*check user name and password/],
      [otherwise({ password: 'CANARY%zz' }), /does not let this user in/],
      [otherwise({ pathname: '/no_such_database' }), /is not there: make it \(CREATE DATABASE\)/],
      [otherwise({ search: '?sslrootcert=/no/CANARY' }), /certificate file that is not there/],
    ]
    await Promise.all(attempts.map(([url, line]) => expectRefused({ WARDLINE_DATABASE_URL: url }, 1, line)))
  })

  test('a database, and a data folder, from a newer version', async () => {
    const newer = await createTestDatabase()
    await newer.query(
      `INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at, applied_steps_count)
       VALUES (gen_random_uuid()::text, 'x', '99990101000000_from_the_future', now(), 1)`,
    )
    await expectRefused(
      { WARDLINE_DATABASE_URL: newer.ownerUrl },
      1,
      /made by a newer Wardline .*: start the newer version/,
    )
    await newer.drop()
    mkdirSync(join(folder, 'postgres'))
    writeFileSync(join(folder, 'postgres', 'PG_VERSION'), '99\n')
    await expectRefused({ WARDLINE_DATABASE_URL: '' }, 1, /written by a newer Wardline .*: start the newer version/)
  })

  test('the root key of another installation, or no whole one', async () => {
    const file = join(folder, 'keys', 'root.key')
    writeFileSync(file, Buffer.alloc(32, 7))
    await expectRefused({}, 1, /The root key .* is not the one this database was made with .*: restore root\.key/)
    writeFileSync(file, Buffer.alloc(31, 7))
    await expectRefused({}, 1, /root\.key must hold exactly 32 bytes and holds 31: restore it/)
  })

  test.each(['keys/root.key', 'keys/signing', 'tls/server.pem', 'tls/authority.pem'])(
    'a key that others may read: %s',
    async (name) => {
      const path = join(folder, name)
      const [inside = ''] = statSync(path).isDirectory() ? readdirSync(path) : []
      chmodSync(join(path, inside), 0o644)
      await expectRefused({}, 1, /(chmod 600 it|run "chmod 600 )/)
    },
  )

  test('a signing key, an authority, an own certificate that are none', async () => {
    const { key, certificate } = { key: join(folder, 'tls', 'authority.pem'), certificate: join(folder, 'own.crt') }
    writeFileSync(certificate, 'CANARY')
    await expectRefused(
      { WARDLINE_TLS_CERT_FILE: certificate, WARDLINE_TLS_KEY_FILE: key },
      1,
      /holds no PEM certificate: name one that does/,
    )
    writeFileSync(certificate, readFileSync(join(folder, 'tls', 'server.pem')))
    await expectRefused(
      { WARDLINE_TLS_CERT_FILE: certificate, WARDLINE_TLS_KEY_FILE: key },
      1,
      /name the two that belong together/,
    )
    writeFileSync(key, 'CANARY')
    await expectRefused({}, 1, /authority\.pem is not a key and a certificate: remove it/)
  })

  test('a folder that is none, and files in the way', async () => {
    const file = join(folder, 'file')
    writeFileSync(file, '')
    const attempts: [Record<string, string>, RegExp][] = [
      [{ WARDLINE_DATA: join(file, 'data') }, /goes through something that is no folder: choose another place/],
      [{ WARDLINE_DATA: file }, /goes through something that is no folder: choose another place/],
      [{ WARDLINE_KEYS_DIR: file }, /root\.key cannot be read or made/],
      [{ WARDLINE_LOG_FILE: folder }, /is a folder where a file should be/],
    ]
    await Promise.all(attempts.map(([env, line]) => expectRefused(env, 1, line)))
  })

  test.runIf(process.getuid?.() !== 0)('a folder that cannot be written', async () => {
    chmodSync(join(folder, 'tls'), 0o500)
    rmSync(join(folder, 'tls', 'server.pem'), { force: true })
    chmodSync(folder, 0o500)
    await expectRefused({ WARDLINE_DATA: join(folder, 'data') }, 1, /may not be used by this user/)
    chmodSync(folder, 0o700)
  })

  test('arguments: there are none, and who asks is told where the settings are', async () => {
    const asked = await start({}, ['--help']).ended
    expect(asked).toMatchObject({ code: 0, err: '', out: expect.stringContaining('.env.example') })
    const given = await start({}, ['--port', '1']).ended
    expect(given).toMatchObject({
      code: 64,
      out: '',
      err: expect.stringMatching(/^wardline: The server takes no arguments.*\n$/),
    })
  })
})

describe('a start', () => {
  test('says where, serves, writes down that it began, and ends with 0 on SIGTERM and SIGINT', async () => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      const server = start()
      expect((await call(await server.up, { path: '/readyz' })).status).toBe(200)
      expect(await server.end(signal)).toMatchObject({ code: 0, err: '' })
      const rows = await database.query<{ event: Buffer }>(
        'SELECT event FROM audit_outbox ORDER BY at DESC, writer_seq DESC LIMIT 2',
      )
      const events = rows.map(({ event }) => JSON.parse(event.toString()) as { action: string })
      expect(events.map(({ action }) => action)).toEqual(['server.stop', 'server.start'])
    }
  })

  test('of a demonstration: says so, and writes its sign-ins where only their owner reads them', async () => {
    const server = start({ WARDLINE_DEMO: '1' })
    const address = await server.up
    expect(server.said()).toContain('DEMO')
    const file = join(folder, 'demo-accounts.json')
    expect(statSync(file).mode & 0o777).toBe(0o600)
    const accounts = JSON.parse(readFileSync(file, 'utf8')) as { tenant: string; username: string; password: string }[]
    expect(accounts.map(({ tenant, username }) => `${tenant}/${username}`)).toContain('riverside/nurse.lind')
    for (const { username, password } of accounts) expect(server.said()).toMatch(new RegExp(`${username} +${password}`))
    const about = await call(address, { path: '/api/v1/about' })
    expect(about.body).toEqual({ demo: true })
    expect(about.headers['strict-transport-security']).toBe('max-age=300')
    expect((await server.end('SIGINT')).code).toBe(0)
  })
})
