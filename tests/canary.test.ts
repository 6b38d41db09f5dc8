import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { systemClock } from '../apps/server/src/clock.ts'
import { type EmbeddedPostgres, startEmbeddedPostgres } from '../apps/server/src/storage/embedded-postgres.ts'
import { asOwner } from './_util/database.ts'
import { Person } from './_util/person.ts'
import { type Address, demoAccount, type ServerProcess, spawnServer } from './_util/server-process.ts'
import { Canaries, formsOf } from './canary/canaries.ts'
import { dumpOf, filesIn, type Haystack, listenOn } from './canary/haystack.ts'
import { plantFactors } from './canary/plant-factors.ts'
import { plantByImport } from './canary/plant-fhir.ts'
import { plantOverHttp } from './canary/plant-http.ts'
import { plantOverSocket } from './canary/plant-socket.ts'

/** Nobody else here is as old. */
const BIRTH_DATE = '1887-02-13'

const canaries = new Canaries()
const birthDate = new Canaries(BIRTH_DATE)
/** Planted where it does come out: in what is meant to be read. */
const control = new Canaries()
const folder = mkdtempSync(join(tmpdir(), 'wardline-test-canary-'))
const dataDir = join(folder, control.plant('the data folder'))
const haystacks: Haystack[] = []
/** What the server has made up and shown to one person, once. */
const shownOnce: Canaries[] = []
let postgres: EmbeddedPostgres
let server: ServerProcess

beforeAll(async () => {
  // Held by this process: it is searched when the server has stopped.
  postgres = await startEmbeddedPostgres({ dataDir, durable: false })
  const env = { WARDLINE_DATA: dataDir, WARDLINE_DEMO: '1', WARDLINE_LOG_LEVEL: 'debug' }
  server = spawnServer(dataDir, env)
  const address = await server.up
  const bus = await listenOn(postgres.url, 'wardline')
  haystacks.push(...plantByImport({ env, folder, careTeam: 'nurse.lind,physician.okafor' }, canaries, BIRTH_DATE))
  const [nurse, physician, admin, auditor] = await Promise.all(
    ['nurse.lind', 'physician.okafor', 'admin.reyes', 'auditor.chen'].map((name) =>
      signedIn(address, `riverside/${name}`),
    ),
  )
  if (!nurse || !physician || !admin || !auditor) throw new Error('not everybody is here')
  const channel = await channelOf(nurse)
  haystacks.push(...(await plantOverSocket(nurse, physician, channel, canaries)))
  haystacks.push(...(await plantOverHttp({ nurse, admin, auditor }, canaries)))
  const factors = await plantFactors(nurse, canaries)
  haystacks.push(...factors.found)
  shownOnce.push(...factors.shownOnce)
  await plantControl(admin, nurse)
  // At the end it writes down what it has only counted so far.
  const { out, err } = await server.end()
  await bus.close()
  haystacks.push(
    { place: 'what the server said', bytes: Buffer.from(out + err) },
    { place: 'the bus', bytes: Buffer.from(bus.heard.join('\n')) },
    ...(await dumpOf(postgres.url)),
    ...filesIn(dataDir),
  )
}, 180_000)
afterAll(async () => {
  await server?.end('SIGKILL')
  await postgres?.stop()
  rmSync(folder, { recursive: true })
})

async function signedIn(address: Address, who: string): Promise<Person> {
  const { tenant, username, password, totpSecret } = demoAccount(dataDir, who)
  const person = new Person({ ...address, clock: systemClock })
  const answer = await person.signIn(tenant, username, { password, totpSecret })
  if (answer.status !== 200) throw new Error(`${who} could not sign in: ${answer.text}`)
  return person
}

/** The channel of the patient who was imported: found by a name, as a person finds it. */
async function channelOf(nurse: Person): Promise<string> {
  const { body } = await nurse.call('POST', '/patients/search', { body: { q: canaries.core } })
  const { items } = body as { items: { channel: string; family: string; birthDate: string }[] }
  expect(items).toMatchObject([{ family: expect.stringContaining(canaries.core), birthDate: BIRTH_DATE }])
  return items[0]?.channel ?? ''
}

/** A colleague's name is no secret: it is in the database, in its files and in the directory; and there is a way into each log. */
async function plantControl(admin: Person, nurse: Person): Promise<void> {
  const displayName = `Dr. ${control.plant('the name of a colleague')}`
  const made = await admin.call('POST', '/admin/users', { body: { username: 'dr.control', displayName, roles: [] } })
  expect(made.status).toBe(201)
  const directory = await nurse.call('POST', '/directory/search', { body: { q: displayName } })
  haystacks.push({ place: 'the directory', bytes: Buffer.from(directory.text) })
  await asOwner(postgres.url, async (client) => {
    await client.query(`NOTIFY wardline, '${control.plant('a notification')}'`)
    await client.query(`DO $$ BEGIN RAISE LOG '${control.plant('a line of the log of PostgreSQL')}'; END $$`)
  })
}

const places = (wanted: RegExp) => haystacks.filter(({ place }) => wanted.test(place))
const sightings = (needles: Canaries) =>
  haystacks.flatMap(({ place, bytes }) => needles.find(bytes).map((sighting) => ({ place, ...sighting })))

describe('R-65 R-60 R-54: what people type is found in no log, audit row, bus, error, header, file or dump', () => {
  test('whatever it was typed into', () => {
    expect(canaries.planted).toBeGreaterThan(150)
    expect(sightings(canaries)).toEqual([])
    expect(sightings(birthDate)).toEqual([])
  })

  test('nor is what was shown once: the secret of an app, recovery codes, the handle of a passkey', () => {
    expect(shownOnce.length).toBeGreaterThan(10)
    expect(shownOnce.flatMap(sightings)).toEqual([])
  })

  test.each([
    ['the terminal of the server', /what the server said/],
    ['the bus', /^the bus$/],
    ['the database', /^table public\.users$/],
    ['the files of the database', /\/base\//],
    ['the log of PostgreSQL', /postgres\.log$/],
    ['answers', /the directory/],
  ])('and the search would find it in %s: it finds what is meant to be there', (_, wanted) => {
    const found = places(wanted).flatMap(({ bytes }) => control.find(bytes))
    expect(found).not.toEqual([])
  })

  test.each([
    ['the log', /wardline\.log$/, '"route":"/api/v1/patients/search"'],
    ['the audit', /^table public\.audit_outbox$/, Buffer.from('"action":"message.post"').toString('hex')],
    ['the audit', /^table public\.audit_outbox$/, Buffer.from('"reason":"schema"').toString('hex')],
    ['the bus', /^the bus$/, '"k":"channel"'],
    ['errors', /^answer 400 to /, '"code":"invalid"'],
    ['headers', /^answer 401 to /, 'strict-transport-security'],
    ['closes', /before signing in$/, '4401'],
    ['the audit log', /audit-log\/checkpoint$/, 'wardline/'],
  ])('%s was there to be searched', (_, wanted, holds) => {
    expect(places(wanted).some(({ bytes }) => bytes.includes(holds))).toBe(true)
  })

  test('in every form in which a program may write it down', () => {
    const { core } = control
    for (const { name, bytes } of formsOf(core)) {
      const hidden = Buffer.concat([Buffer.from('before '), bytes, Buffer.from(' after')])
      expect(
        control.find(hidden).map(({ form }) => form),
        name,
      ).toContain(name)
    }
    for (let offset = 0; offset < 6; offset += 1) {
      const text = `${'a'.repeat(offset)}${core} and more`
      for (const encoding of ['base64', 'base64url', 'hex'] as const) {
        expect(control.find(Buffer.from(Buffer.from(text).toString(encoding))), `${encoding} ${offset}`).toHaveLength(1)
      }
      expect(control.find(Buffer.from(JSON.stringify({ body: `é"${text}` })))).toHaveLength(1)
      expect(control.find(Buffer.from(encodeURIComponent(`ß ${text}`)))).toHaveLength(1)
    }
  })
})
