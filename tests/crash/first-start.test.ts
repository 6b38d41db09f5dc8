import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createWardline } from '@wardline/client/node'
import pg from 'pg'
import { afterAll, expect, test } from 'vitest'
import { startEmbeddedPostgres } from '../../apps/server/src/storage/embedded-postgres.ts'
import { readState } from '../../apps/server/src/storage/postgres-state.ts'
import { codeAt } from '../_util/authenticator.ts'
import { call } from '../_util/https.ts'
import { demoAccount, type ServerProcess, spawnServer } from '../_util/server-process.ts'

const PEOPLE = [
  'riverside/physician.okafor',
  'riverside/nurse.lind',
  'riverside/auditor.chen',
  'lakeside/physician.haddad',
]

// Not by a name that other runs clear away: between a kill and the next start nobody holds it.
const dataDir = mkdtempSync(join(tmpdir(), 'wardline-first-start-'))
let server: ServerProcess | undefined

afterAll(async () => {
  await server?.end('SIGKILL')
  await (await startEmbeddedPostgres({ dataDir })).stop()
  rmSync(dataDir, { recursive: true })
})

const inFolder = (name: string) => async () => existsSync(join(dataDir, name))
const beingMade = async () => readdirSync(dataDir).some((name) => name.startsWith('postgres.new'))

/** Whether the database answers this with true; not while there is none yet. */
const inDatabase = (condition: string) => async () => {
  const url = readState(dataDir)?.url
  if (url === undefined) return false
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query<{ holds: boolean }>(`SELECT ${condition} AS holds`)
    return rows[0]?.holds === true
  } catch {
    return false
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** How far a first start has come, stage by stage. */
const STAGES: readonly (readonly [string, () => Promise<boolean>])[] = [
  ['with its keys made', inFolder('keys/root.key')],
  ['while the database is set up', beingMade],
  ['with the database in place', inFolder('postgres/PG_VERSION')],
  ['with some of its tables', inDatabase('EXISTS (SELECT FROM _prisma_migrations)')],
  ['with some of the people', inDatabase(`EXISTS (SELECT FROM users WHERE username = 'nurse.lind')`)],
  ['with some of the patients', inDatabase('EXISTS (SELECT FROM patients)')],
]

test('R-80 a first start that is killed, wherever it is, is taken up by the next', async () => {
  for (const [stage, reached] of STAGES) {
    server = spawnServer(dataDir, { WARDLINE_DEMO: '1' })
    const outcome = server.ended.then(({ err }) => `ended by itself: ${err}`)
    const seen = async () => {
      await expect.poll(reached, { timeout: 60_000, interval: 5 }).toBe(true)
      return 'seen'
    }
    expect(await Promise.race([seen(), outcome]), stage).toBe('seen')
    expect((await server.end('SIGKILL')).signal, stage).toBe('SIGKILL')
  }
  server = spawnServer(dataDir, { WARDLINE_DEMO: '1' })
  const address = await server.up
  expect((await call(address, { path: '/readyz' })).status).toBe(200)
  const patients = new Map<string, number>()
  for (const who of PEOPLE) {
    const wardline = createWardline({ url: address.url, ca: String(address.ca) })
    const { tenant, username, password, totpSecret = '' } = demoAccount(dataDir, who)
    const asked = await wardline.signIn({ tenant, username, password })
    if (asked.status === 'second-factor') {
      await wardline.secondFactor({ challenge: asked.challenge, totp: codeAt(totpSecret, Date.now()) })
    }
    patients.set(who, (await wardline.api.patients()).items.length)
    wardline.close()
  }
  expect(patients.get('riverside/physician.okafor')).toBeGreaterThan(3)
  expect(patients.get('lakeside/physician.haddad')).toBeGreaterThan(0)
  expect(await server.end()).toMatchObject({ code: 0, err: '' })
  const left = readdirSync(dataDir).filter((name) => /\.new|\.partial/.test(name))
  expect(left).toEqual([])
}, 360_000)
