import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import pg from 'pg'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startEmbeddedPostgres } from '../../apps/server/src/storage/embedded-postgres.ts'
import { DatabaseRefused } from '../../apps/server/src/storage/errors.ts'
import { findPostmaster, stopPostmaster } from '../../apps/server/src/storage/postgres-process.ts'
import { writeState } from '../../apps/server/src/storage/postgres-state.ts'
import { asOwner } from '../_util/database.ts'

const HOLDER = fileURLToPath(new URL('../_util/hold-postgres.ts', import.meta.url))

/** A folder that was set up and stopped: copied for each test, because setting up takes a second. */
let ready: string
let dataDir: string
const children: ChildProcess[] = []

beforeAll(async () => {
  ready = newFolder()
  await (await startEmbeddedPostgres({ dataDir: ready, durable: false })).stop()
})
afterAll(() => rmSync(ready, { recursive: true }))
beforeEach(() => {
  dataDir = newFolder()
  // With its modes: PostgreSQL takes no folder that others may enter.
  spawnSync('cp', ['-a', `${ready}/.`, dataDir])
  const { url } = JSON.parse(readFileSync(join(ready, 'postgres.json'), 'utf8')) as { url: string }
  // As a folder that was moved: the place is another, and the port is free to choose.
  writeState(dataDir, { url: url.replace(/:\d+\//, '/'), clusterDir: join(dataDir, 'postgres'), holders: [] })
})
afterEach(async () => {
  for (const child of children.splice(0)) child.kill('SIGKILL')
  const pid = findPostmaster(join(dataDir, 'postgres'))
  if (pid !== undefined) await stopPostmaster(join(dataDir, 'postgres'), pid)
  rmSync(dataDir, { recursive: true })
})

function newFolder(): string {
  return mkdtempSync(join(tmpdir(), 'wardline-embedded-'))
}
const start = () => startEmbeddedPostgres({ dataDir, durable: false })
const serves = () => findPostmaster(join(dataDir, 'postgres'))
const state = () =>
  JSON.parse(readFileSync(join(dataDir, 'postgres.json'), 'utf8')) as { url: string; holders: string[] }
const write = (url: string) =>
  asOwner(url, (client) => client.query('CREATE TABLE IF NOT EXISTS kept AS SELECT 42 AS answer'))
const read = async (url: string) =>
  (await asOwner(url, (client) => client.query<{ answer: number }>('SELECT * FROM kept'))).rows

/** Another process that starts it, or joins it, and holds it until it is told to stop or is killed. */
async function hold(): Promise<{ child: ChildProcess; adopted: boolean }> {
  const child = spawn(process.execPath, [HOLDER, dataDir], { stdio: ['pipe', 'pipe', 'inherit'] })
  children.push(child)
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  return { child, adopted: (JSON.parse(line) as { adopted: boolean }).adopted }
}

describe('embedded PostgreSQL', () => {
  it('R-80 starts, keeps what was written, and is at the same address the next time', async () => {
    const first = await start()
    await write(first.url)
    await first.stop()
    expect(serves()).toBeUndefined()
    const second = await start()
    expect(second.url).toBe(first.url)
    expect(await read(second.url)).toEqual([{ answer: 42 }])
    await second.stop()
  })

  it('lets nobody in without the password, which is in a file for its owner alone', async () => {
    const { url, stop } = await start()
    expect(statSync(join(dataDir, 'postgres.json')).mode & 0o777).toBe(0o600)
    expect(readdirSync(dataDir).filter((name) => name.includes('password'))).toEqual([])
    const nobody = new URL(url)
    nobody.password = ''
    await expect(new pg.Client({ connectionString: nobody.href }).connect()).rejects.toThrow(/password/)
    const { rows } = await asOwner(url, (client) =>
      client.query("SELECT type, auth_method FROM pg_hba_file_rules WHERE auth_method <> 'scram-sha-256'"),
    )
    expect(rows).toEqual([])
    const settings = await asOwner(url, (client) =>
      client.query(
        "SELECT current_setting('listen_addresses') AS listen, current_setting('unix_socket_directories') AS sockets",
      ),
    )
    expect(settings.rows).toEqual([{ listen: '127.0.0.1', sockets: '' }])
    await stop()
  })

  it('R-65 writes no statement, value or detail into its log', async () => {
    const { url, stop } = await start()
    await asOwner(url, async (client) => {
      await client.query('CREATE TABLE people (name text PRIMARY KEY)')
      await client.query("INSERT INTO people VALUES ('CANARY')")
      await expect(client.query("INSERT INTO people VALUES ('CANARY')")).rejects.toThrow()
      await expect(client.query('SELECT $1::int', ['CANARY'])).rejects.toThrow()
      await expect(client.query("SELECT 'CANARY'::int")).rejects.toThrow()
    })
    await stop()
    const log = readFileSync(join(dataDir, 'postgres.log'), 'utf8')
    expect(log).toContain('ready to accept connections')
    expect(log).not.toContain('CANARY')
  })

  it('serves a second process, and is stopped by whoever leaves last', async () => {
    const first = await hold()
    expect(first.adopted).toBe(false)
    const second = await start()
    expect(second.adopted).toBe(true)
    first.child.stdin!.end()
    await once(first.child, 'exit')
    await write(second.url)
    await second.stop()
    expect(serves()).toBeUndefined()
  })

  it('is taken over from a process that was killed, and stopped then', async () => {
    const { child } = await hold()
    await write(state().url)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(serves()).toBeDefined()
    const next = await start()
    expect(next.adopted).toBe(true)
    expect(await read(next.url)).toEqual([{ answer: 42 }])
    await next.stop()
    expect(serves()).toBeUndefined()
    expect(state().holders).toEqual([])
  })

  it('comes back after it was killed itself, its leftovers and all', async () => {
    const { child } = await hold()
    await write(state().url)
    child.kill('SIGKILL')
    process.kill(serves()!, 'SIGKILL')
    await once(child, 'exit')
    const next = await start()
    expect(next.adopted).toBe(false)
    expect(await read(next.url)).toEqual([{ answer: 42 }])
    await next.stop()
  })

  it('is brought back at its address by one of those who hold it, and by nobody who has left', async () => {
    const [first, second] = [await start(), await start()]
    await write(first.url)
    expect(await first.revive()).toBe(false)
    process.kill(serves()!, 'SIGKILL')
    await expect.poll(serves).toBeUndefined()
    expect((await Promise.all([first.revive(), second.revive()])).filter(Boolean)).toHaveLength(1)
    expect(await read(first.url)).toEqual([{ answer: 42 }])
    expect(state().holders).toHaveLength(2)
    await first.stop()
    await second.stop()
    expect(await first.revive()).toBe(false)
    expect(serves()).toBeUndefined()
  })

  it('is not fooled by a process that has its old number by now', async () => {
    const first = await start()
    await first.stop()
    const pidFile = join(dataDir, 'postgres', 'postmaster.pid')
    writeFileSync(pidFile, `${process.pid}\n${join(dataDir, 'postgres')}\n`)
    const second = await start()
    expect(second.adopted).toBe(false)
    await second.stop()
  })

  it('takes another port when its own is taken', async () => {
    const first = await start()
    await first.stop()
    const { createServer } = await import('node:net')
    const squatter = createServer().listen(Number(new URL(first.url).port), '127.0.0.1')
    await once(squatter, 'listening')
    const second = await start()
    expect(new URL(second.url).port).not.toBe(new URL(first.url).port)
    await second.stop()
    squatter.close()
  })

  it('of several that start at once one starts it and the others join', async () => {
    const all = await Promise.all([hold(), hold(), hold()])
    expect(all.filter(({ adopted }) => !adopted)).toHaveLength(1)
    expect(state().holders).toHaveLength(3)
  })

  it('finds the way in again when postgres.json is lost', async () => {
    const first = await start()
    await write(first.url)
    await first.stop()
    rmSync(join(dataDir, 'postgres.json'))
    const second = await start()
    expect(await read(second.url)).toEqual([{ answer: 42 }])
    await second.stop()
  })

  it('begins anew where setting up was interrupted', async () => {
    // As if killed between setting up and putting in place.
    spawnSync('mv', [join(dataDir, 'postgres'), join(dataDir, 'postgres.new')])
    const again = await start()
    await write(again.url)
    await again.stop()
    expect(existsSync(join(dataDir, 'postgres.new'))).toBe(false)
  })

  it.each([
    ['99', /newer Wardline/],
    ['9', /older Wardline/],
  ])('refuses a folder of PostgreSQL %s in one line', async (version, words) => {
    writeFileSync(join(dataDir, 'postgres', 'PG_VERSION'), `${version}\n`)
    const refused = start()
    await expect(refused).rejects.toThrow(DatabaseRefused)
    await expect(refused).rejects.toThrow(words)
    // And leaves no lock behind.
    await expect(start()).rejects.toThrow(words)
  })

  it('refuses a folder that a PostgreSQL serves which is not ours', async () => {
    const { stop, url } = await start()
    await asOwner(url, (client) => client.query("ALTER ROLE wardline PASSWORD 'changed by hand'"))
    await expect(start()).rejects.toThrow(/in use by a PostgreSQL that Wardline did not start/)
    await stop()
  })

  it.runIf(process.getuid?.() === 0)('as root without user namespaces runs as nobody', async () => {
    const before = await start()
    await write(before.url)
    await before.stop()
    const postgres = await startEmbeddedPostgres({ dataDir, durable: false, isolation: 'nobody' })
    expect(await read(postgres.url)).toEqual([{ answer: 42 }])
    const pid = serves()!
    expect(statSync(`/proc/${pid}`).uid).not.toBe(0)
    expect(statSync(join(dataDir, 'postgres')).uid).not.toBe(0)
    await postgres.stop()
    // Where nobody may pass, the cluster goes elsewhere and the way to it is remembered.
    const closed = join(dataDir, 'closed')
    spawnSync('mkdir', [closed])
    chmodSync(closed, 0o700)
    const inside = await startEmbeddedPostgres({ dataDir: join(closed, 'data'), durable: false, isolation: 'nobody' })
    await write(inside.url)
    await inside.stop()
    const { clusterDir } = JSON.parse(readFileSync(join(closed, 'data', 'postgres.json'), 'utf8')) as {
      clusterDir: string
    }
    expect(clusterDir.startsWith(closed)).toBe(false)
    const again = await startEmbeddedPostgres({ dataDir: join(closed, 'data'), durable: false, isolation: 'nobody' })
    expect(await read(again.url)).toEqual([{ answer: 42 }])
    await again.stop()
    rmSync(join(clusterDir, '..'), { recursive: true })
  })
})
