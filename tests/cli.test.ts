import { execFile } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { page, patientSummary } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { NIL_UUID } from '../apps/server/src/storage/errors.ts'
import { auditOf } from './_util/audit.ts'
import { enrolPasskey } from './_util/passkey.ts'
import { Person, signedIn } from './_util/person.ts'
import { startTestServer, type TestServer } from './_util/server.ts'
import { openSocket } from './_util/socket.ts'

const CLI = fileURLToPath(new URL('../apps/cli/src/main.ts', import.meta.url))
const CANARY = 'Zwischenfall'

let server: TestServer
let file: string
beforeAll(async () => {
  server = await startTestServer()
  file = join(server.dataDir, 'in.ndjson')
  const type = { coding: [{ code: 'MR' }] }
  const patient = {
    resourceType: 'Patient',
    id: 'p1',
    identifier: [{ type, value: 'C 1' }],
    name: [{ family: CANARY, given: ['C'] }],
  }
  writeFileSync(file, `${JSON.stringify(patient)}\n{"resourceType":\n`)
})
afterAll(() => server.stop())

/** Runs `wardline …` as an operator does: a process of its own, with the server's environment. */
function wardline(args: string[], environment: Record<string, string> = {}) {
  const env = {
    PATH: process.env['PATH'],
    WARDLINE_DATA: server.dataDir,
    WARDLINE_DATABASE_URL: server.database.ownerUrl,
    ...environment,
  }
  return new Promise<{ code: unknown; out: string; err: string }>((resolve) => {
    execFile(process.execPath, [CLI, ...args], { env }, (error, out, err) =>
      resolve({ code: error?.code ?? 0, out, err }),
    )
  })
}

const fhir = (...rest: string[]) => ['import', 'fhir', '--tenant', 'riverside', ...rest]

describe('wardline import fhir', () => {
  it('beside a running server: the people named see the patient without signing in anew; a corrupt line is exit code 1', async () => {
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    const socket = await openSocket(nurse)
    const { code, out, err } = await wardline(fhir('--care-team', 'nurse.lind', file))
    expect(out).toContain('Care team assignments            1         0         0')
    expect(out).toContain(`${file}:2  Line is not JSON`)
    expect([code, err]).toEqual([1, `Reading ${file}\n`])
    for (const text of [out, err]) expect(text).not.toContain(CANARY)
    // No hint comes from another program: the server finds it when it polls (P6).
    const { channel } = await socket.frame('inbox.changed')
    socket.cut()
    const { items } = page(patientSummary).parse((await nurse.call('GET', '/patients')).body)
    expect(items).toMatchObject([{ family: CANARY, channel }])
    expect(await auditOf(server, 'riverside', { action: 'import.run' })).toMatchObject([
      { outcome: 'allowed', count: 1 },
    ])
  })

  it.each<[string, () => string[], Record<string, string>, string]>([
    [
      'a tenant that is not there',
      () => ['import', 'fhir', '--tenant', 'nowhere', file],
      {},
      'there are: lakeside, riverside',
    ],
    ['a file that is not there', () => fhir('/nowhere.ndjson'), {}, '/nowhere.ndjson: there is no such file'],
    ['a person who is not there', () => fhir('--care-team', 'nobody', file), {}, 'there is no user "nobody"'],
    ['a person who cares for nobody', () => fhir('--care-team', 'auditor.chen', file), {}, 'no clinical role'],
    ['a data folder without an installation', () => fhir(file), { WARDLINE_DATA: '/nowhere' }, 'holds no root key'],
    [
      'a database that does not answer',
      () => fhir(file),
      { WARDLINE_DATABASE_URL: 'postgresql://u:secret@127.0.0.1:1/x' },
      'cannot be reached',
    ],
    ['a setting that is misspelt', () => fhir(file), { WARDLINE_PRT: '1' }, 'WARDLINE_PRT: there is no such setting'],
  ])('%s is one line that says so, and exit code 1', async (_, args, environment, line) => {
    const { code, err } = await wardline(args(), environment)
    const lines = err.split('\n').filter((each) => each.startsWith('wardline: '))
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain(line)
    expect(code).toBe(1)
    expect(err).not.toContain('    at ')
    expect(err).not.toContain('secret')
  })

  it('a wrong command line is exit code 2', async () => {
    expect((await wardline(['import', 'fhir', file])).code).toBe(2)
    expect((await wardline(['nonsense'])).code).toBe(2)
    expect((await wardline(['--help'])).code).toBe(0)
  })
})

describe('R-13: wardline keys', () => {
  it('lists them, adds one that waits, and replaces one that leaked: what it signed is refused by the running server', async () => {
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    expect((await wardline(['keys', 'list'])).out).toMatch(/^[\w-]{43} {2}signing {4}signs from 20.*Z\n$/)
    const waits = await wardline(['keys', 'rotate'])
    expect([waits.code, waits.err]).toEqual([0, ''])
    expect(waits.out.split('\n').map((line) => line.split(/ +/)[1])).toEqual(['next', 'signing', undefined])
    expect((await nurse.call('GET', '/me')).status).toBe(200)
    const replaced = await wardline(['keys', 'rotate', '--leaked'])
    expect(replaced.out.split('\n').map((line) => line.split(/ +/)[1])).toEqual(['signing', undefined])
    await expect.poll(async () => (await nurse.call('GET', '/me')).status).toBe(401)
    expect((await nurse.refresh()).status, 'whoever holds the cookie goes on').toBe(200)
    expect((await nurse.call('GET', '/me')).status).toBe(200)
    const actions = [
      ...(await auditOf(server, null, { action: 'key.rotate' })),
      ...(await auditOf(server, null, { action: 'key.destroy' })),
    ]
    expect(actions.map(({ action }) => action)).toEqual(['key.rotate', 'key.rotate', 'key.destroy', 'key.destroy'])
  })
})

describe('R-19: wardline sessions end', () => {
  it('of a person, of an organisation: the running server finds it within its poll', async () => {
    const [nurse, clerk] = [
      await signedIn(server, 'riverside/nurse.lind'),
      await signedIn(server, 'riverside/clerk.moss'),
    ]
    const socket = await openSocket(nurse)
    const ended = await wardline(['sessions', 'end', '--tenant', 'riverside', '--user', 'Nurse.Lind'])
    expect([ended.code, ended.err]).toEqual([0, ''])
    expect(ended.out).toMatch(/^\d+ ended\n$/)
    expect(await socket.closing()).toEqual({ code: 4403, reason: 'revoked' })
    expect((await clerk.call('GET', '/me')).status).toBe(200)
    await wardline(['sessions', 'end', '--tenant', 'riverside'])
    await expect.poll(async () => (await clerk.call('GET', '/me')).status).toBe(401)
    const nobody = await wardline(['sessions', 'end', '--tenant', 'riverside', '--user', 'nobody'])
    expect([nobody.code, nobody.err]).toEqual([1, 'wardline: there is no user "nobody" in riverside.\n'])
  })
})

describe('wardline tenant create', () => {
  const create = (slug: string, ...rest: string[]) =>
    wardline(['tenant', 'create', slug, '--name', 'Hillside', '--admin', 'a.moss', '--admin-name', 'A Moss', ...rest])

  it('R-85 an organisation and its first administrator, whose password is printed once and kept nowhere', async () => {
    const { code, out, err } = await create('hillside')
    expect([code, err]).toEqual([0, ''])
    const [, password = ''] = /^hillside\/a\.moss {2}([a-z2-9-]{29})\n$/.exec(out) ?? []
    const admin = new Person(server)
    expect((await admin.signIn('hillside', 'a.moss', { password })).body).toMatchObject({ status: 'authenticated' })
    // until they have a second factor, that is all that they may do.
    expect((await admin.call('GET', '/admin/users')).status).toBe(403)
    expect((await admin.call('POST', '/me/factors/totp')).status).toBe(200)
    const [dump] = await server.database.query<{ whole: string }>(
      'SELECT string_agg(u::text, chr(10)) AS whole FROM users u',
    )
    expect(dump?.whole).toContain('a.moss')
    expect(dump?.whole).not.toContain(password)
  })

  it('what is there, or is no name of one, makes nothing', async () => {
    const before = await server.database.query('SELECT id FROM tenants')
    expect(await create('hillside')).toMatchObject({
      code: 1,
      err: 'wardline: there is a tenant "hillside" already.\n',
    })
    expect((await create('Hill Side')).err).toContain('give a slug of small letters')
    expect((await create('other', '--admin', 'A Moss')).err).toContain('give the administrator a user name')
    expect(await server.database.query('SELECT id FROM tenants')).toEqual(before)
  })
})

describe('R-11: wardline factors reset', () => {
  it('takes the factors of who has lost them, with their sign-ins, beside a running server', async () => {
    const chief = await signedIn(server, 'lakeside/admin.novak')
    await enrolPasskey(chief)
    const socket = await openSocket(chief)
    const reset = (user: string) => wardline(['factors', 'reset', '--tenant', 'lakeside', '--user', user])
    expect(await reset('Admin.Novak')).toMatchObject({ code: 0, out: '1 taken away\n' })
    expect((await socket.closing()).code).toBe(4403)
    const again = await signedIn(server, 'lakeside/admin.novak')
    expect((await again.call('GET', '/me/factors')).body).toEqual({ items: [], recoveryCodes: 0 })
    expect(await auditOf(server, 'lakeside', { action: 'factor.reset' })).toMatchObject([
      { outcome: 'allowed', actor: NIL_UUID, user: chief.user.id, count: 1 },
    ])
    expect(await reset('nobody')).toMatchObject({ code: 1, err: 'wardline: there is no user "nobody" in lakeside.\n' })
  })
})

describe('R-10: wardline people set-up', () => {
  it('makes a link by which somebody sets a new password, once, beside a running server', async () => {
    const setUp = (user: string, ...more: string[]) =>
      wardline(['people', 'set-up', '--tenant', 'lakeside', '--user', user, ...more])
    const { code, out, err } = await setUp('Admin.Novak', '--reset-factors')
    expect([code, err]).toEqual([0, ''])
    const [, given = ''] = /^https:\/\/[^/]+\/set-up#(\S+)\ngood once, until 20\S+Z\n$/.exec(out) ?? []
    const body = { code: given, password: 'marsh otter teapot nine' }
    const person = new Person(server)
    expect((await person.bare('POST', '/auth/set-up', { body })).body).toEqual({
      tenant: 'lakeside',
      username: 'admin.novak',
    })
    expect((await person.bare('POST', '/auth/set-up', { body })).status).toBe(401)
    expect((await person.signIn('lakeside', 'admin.novak', { password: body.password })).status).toBe(200)
    expect(await auditOf(server, 'lakeside', { action: 'password.reset' })).toMatchObject([
      { outcome: 'allowed', actor: NIL_UUID, reason: 'factor-changed', role: 'administrator' },
    ])
    expect(await setUp('nobody')).toMatchObject({
      code: 1,
      err: 'wardline: there is no person "nobody" in lakeside who may sign in.\n',
    })
  })
})
