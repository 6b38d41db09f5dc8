import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, beforeEach, describe, expect, inject, it } from 'vitest'
import { systemClock } from '../../apps/server/src/clock.ts'
import { type KeyProvider, providerOf } from '../../apps/server/src/keys/root-key.ts'
import { scramVerifier } from '../../apps/server/src/storage/app-role.ts'
import { DatabaseRefused } from '../../apps/server/src/storage/errors.ts'
import { migrate, readMigrations } from '../../apps/server/src/storage/migrate.ts'
import { openDatabase } from '../../apps/server/src/storage/open.ts'
import { prepareDatabase } from '../../apps/server/src/storage/prepare.ts'
import { asOwner, createTestDatabase, type TestDatabase } from '../_util/database.ts'

let keys: KeyProvider
let url: string
let name: string

const clusterUrl = () => inject('postgres').url
const run = (sql: string, on = url) => asOwner(on, (client) => client.query(sql))

beforeAll(async () => {
  keys = await providerOf(randomBytes(32))
})
/** An empty database for each: nothing is migrated. */
beforeEach(async () => {
  name = `prepare_${randomBytes(6).toString('hex')}`
  await run(`CREATE DATABASE ${name}`, clusterUrl())
  const owned = new URL(clusterUrl())
  owned.pathname = `/${name}`
  url = owned.href
  return () => run(`DROP DATABASE ${name} WITH (FORCE)`, clusterUrl())
})

const prepare = () => prepareDatabase({ ownerUrl: url, keys })
/** The refusal, which must be one line and hold no password. */
async function refusal(promise: Promise<unknown>): Promise<string> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(DatabaseRefused)
  const { message } = error as Error
  expect(message).not.toContain('\n')
  expect(message).not.toContain(new URL(clusterUrl()).password)
  return message
}

describe('prepareDatabase', () => {
  it('migrates an empty database, once, and gives the server a role of its own', async () => {
    const first = await prepare()
    const second = await prepare()
    expect(second).toEqual(first)
    expect(first.installation).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      rootKeyFingerprint: keys.fingerprint,
    })
    const app = new URL(first.appUrl)
    expect(app.username).toBe(`wardline_app_${first.installation.id.slice(0, 8)}`)
    const database = await openDatabase({
      appUrl: first.appUrl,
      clock: systemClock,
      rootKeyFingerprint: keys.fingerprint,
    })
    expect(database.installation).toEqual(first.installation)
    await database.close()
    await run(`DROP OWNED BY ${app.username}; DROP ROLE ${app.username}`)
  })

  it('lets several servers start at once on an empty database', async () => {
    const all = await Promise.all(Array.from({ length: 5 }, prepare))
    expect(new Set(all.map((each) => JSON.stringify(each))).size).toBe(1)
    const role = new URL(all[0]!.appUrl).username
    await run(`DROP OWNED BY ${role}; DROP ROLE ${role}`)
  })

  it('refuses a database of a newer version, in one line, and changes nothing', async () => {
    await prepare()
    await run(`INSERT INTO _prisma_migrations (id, checksum, migration_name, finished_at)
               VALUES ('x', 'x', '20990101000000_future', now())`)
    expect(await refusal(prepare())).toMatch(/newer Wardline.*20990101000000_future/)
  })

  it('refuses a migration that was changed after it was applied, or did not finish', async () => {
    await prepare()
    const [first] = readMigrations()
    await run(`UPDATE _prisma_migrations SET finished_at = NULL WHERE migration_name = '${first!.name}'`)
    expect(await refusal(prepare())).toMatch(/did not finish/)
    await run(
      `UPDATE _prisma_migrations SET finished_at = now(), checksum = 'x' WHERE migration_name = '${first!.name}'`,
    )
    expect(await refusal(prepare())).toMatch(/changed afterwards/)
  })

  it('undoes a migration that fails, record and all', async () => {
    await prepare()
    const sql = 'CREATE TABLE half (id int); SELECT no_such_function();'
    const broken = [...readMigrations(), { name: '20980101000000_broken', sql, checksum: 'x' }]
    expect(await refusal(asOwner(url, (client) => migrate(client, broken)))).toMatch(/20980101000000_broken failed/)
    const left = await run(
      "SELECT to_regclass('half') AS half, (SELECT count(*) FROM _prisma_migrations WHERE migration_name LIKE '2098%')",
    )
    expect(left.rows).toEqual([{ half: null, count: '0' }])
  })

  it('refuses another root key than the one the database was made with', async () => {
    const { appUrl } = await prepare()
    const other = await providerOf(randomBytes(32))
    expect(await refusal(prepareDatabase({ ownerUrl: url, keys: other }))).toMatch(/root key/)
    const open = openDatabase({ appUrl, clock: systemClock, rootKeyFingerprint: other.fingerprint })
    expect(await refusal(open)).toMatch(/root key/)
  })

  it('says that a database is not there, or lets nobody in', async () => {
    const away = new URL(url)
    away.port = '1'
    expect(await refusal(prepareDatabase({ ownerUrl: away.href, keys }))).toMatch(/ECONNREFUSED.*WARDLINE_DATABASE_URL/)
    const locked = new URL(url)
    locked.password = 'wrong'
    expect(await refusal(prepareDatabase({ ownerUrl: locked.href, keys }))).toMatch(/28P01/)
  })

  it('refuses a database in another encoding', async () => {
    await run(`DROP DATABASE ${name}`, clusterUrl())
    await run(`CREATE DATABASE ${name} ENCODING 'LATIN1' TEMPLATE template0`, clusterUrl())
    expect(await refusal(prepare())).toMatch(/UTF8/)
  })
})

describe('openDatabase', () => {
  let store: TestDatabase
  beforeAll(async () => {
    store = await createTestDatabase()
  })
  afterAll(() => store.drop())

  it('R-37 refuses the owner, a superuser, and a stranger as the application’s role', async () => {
    expect(await refusal(openDatabase({ appUrl: store.ownerUrl, clock: systemClock }))).toMatch(/wardline_app/)
    const stranger = new URL(store.ownerUrl)
    stranger.username = `stranger_${randomBytes(4).toString('hex')}`
    stranger.password = 'stranger'
    await store.query(`CREATE ROLE ${stranger.username} LOGIN PASSWORD 'stranger'`)
    expect(await refusal(openDatabase({ appUrl: stranger.href, clock: systemClock }))).toMatch(/wardline_app/)
    await store.query(`GRANT wardline_app TO ${stranger.username}`)
    await (await openDatabase({ appUrl: stranger.href, clock: systemClock })).close()
    await store.query(`ALTER ROLE ${stranger.username} BYPASSRLS`)
    expect(await refusal(openDatabase({ appUrl: stranger.href, clock: systemClock }))).toMatch(/BYPASSRLS/)
    await store.query(`DROP ROLE ${stranger.username}`)
  })

  it('refuses a database that is not migrated as far as this build', async () => {
    await store.query("UPDATE _prisma_migrations SET rolled_back_at = now() WHERE migration_name LIKE '%_tables'")
    expect(await refusal(openDatabase({ appUrl: store.appUrl, clock: systemClock }))).toMatch(/older Wardline/)
    await store.query('UPDATE _prisma_migrations SET rolled_back_at = NULL')
  })

  it('reads times as UTC whatever the database’s own zone is', async () => {
    await store.query(`ALTER DATABASE ${store.name} SET timezone = 'Asia/Tokyo'`)
    const database = await store.open()
    const [row] = await database.readTenant('', (db) => db.installation.findMany())
    const [truth] = await store.query<{ ms: string }>(
      'SELECT (extract(epoch FROM created_at) * 1000)::bigint AS ms FROM installation',
    )
    expect(row?.createdAt.getTime()).toBe(Number(truth?.ms))
  })
})

describe('scramVerifier', () => {
  it('is what PostgreSQL takes for the password', async () => {
    const role = `scram_${randomBytes(4).toString('hex')}`
    await run(`CREATE ROLE ${role} LOGIN PASSWORD '${scramVerifier('password', randomBytes(16))}'`)
    const client = new pg.Client({
      connectionString: Object.assign(new URL(url), { username: role, password: 'password' }).href,
    })
    await client.connect()
    await client.end()
    await run(`DROP ROLE ${role}`)
  })
})
