import { setUpCode } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { manualClock } from '../../apps/server/src/clock.ts'
import { auditOf } from '../_util/audit.ts'
import { call } from '../_util/https.ts'
import { enrolPasskey } from '../_util/passkey.ts'
import { Person, signedIn } from '../_util/person.ts'
import { PASSWORD, startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket } from '../_util/socket.ts'

const HOUR_MS = 3_600_000
const NEXT = 'marsh otter teapot nine'
const clock = manualClock(Date.UTC(2026, 5, 1, 8))
let server: TestServer
let admin: Person

beforeAll(async () => {
  server = await startTestServer({ clock })
  admin = await signedIn(server, 'riverside/admin.reyes')
})
afterAll(() => server.stop())

const idOf = (who: string) => server.users.get(who) ?? ''
const make = (id: string, body: object = {}, by = admin) => by.call('POST', `/admin/users/${id}/set-up`, { body })

/** By an administrator whose last proof is fresh. */
async function codeFor(id: string, body: object = {}): Promise<string> {
  admin = await signedIn(server, 'riverside/admin.reyes')
  const answer = await make(id, body)
  expect(answer.status).toBe(201)
  return setUpCode.parse(answer.body).code
}

/** As the screen asks, without a token, a proof or a cookie. */
const use = (code: string, password = NEXT) =>
  call(server, {
    method: 'POST',
    path: '/api/v1/auth/set-up',
    headers: { origin: server.url },
    body: { code, password },
  })

let made = 0
async function newcomer(body: object = {}): Promise<{ id: string; username: string }> {
  made += 1
  const username = `new.person${made}`
  admin = await signedIn(server, 'riverside/admin.reyes')
  const answer = await admin.call('POST', '/admin/users', {
    body: { username, displayName: 'New Person', roles: ['nurse'], ...body },
  })
  expect(answer.status).toBe(201)
  return { id: (answer.body as { id: string }).id, username }
}

const signIn = (username: string, password: string) => new Person(server).signIn('riverside', username, { password })

describe('R-10 somebody sets the password of their account by a code', () => {
  test('of a new account: nobody could sign in to it, and now they can; the code is good once', async () => {
    const { id, username } = await newcomer()
    expect((await signIn(username, NEXT)).status).toBe(401)
    const code = await codeFor(id)
    expect((await use(code)).body).toEqual({ tenant: 'riverside', username })
    expect((await signIn(username, NEXT)).status).toBe(200)
    expect((await use(code, 'another fine password')).status).toBe(401)
    expect((await signIn(username, NEXT)).status).toBe(200)
    expect(await auditOf(server, 'riverside', { action: 'password.reset', user: id })).toMatchObject([
      // Nobody has ever signed in to it, and by no role would they oversee or administer.
      { outcome: 'allowed', reason: 'role', actor: admin.user.id, count: 0 },
    ])
    expect(await auditOf(server, 'riverside', { action: 'password.set-up', user: id })).toMatchObject([
      { outcome: 'allowed', reason: 'administrator', count: 0 },
    ])
  })

  test('because it was forgotten: until the code is used all goes on, then whoever is signed in is signed out', async () => {
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    const socket = await openSocket(nurse)
    const code = await codeFor(nurse.user.id)
    expect((await nurse.call('GET', '/me')).status).toBe(200)
    expect((await signIn('nurse.lind', PASSWORD)).status).toBe(200)
    expect((await use(code)).status).toBe(200)
    expect((await socket.closing()).code).toBe(4403)
    expect((await nurse.call('GET', '/me')).status).toBe(401)
    expect((await nurse.refresh()).status).toBe(401)
    expect((await signIn('nurse.lind', PASSWORD)).status).toBe(401)
    expect((await signIn('nurse.lind', NEXT)).status).toBe(200)
  })

  test('of two uses at once one sets a password', async () => {
    const { id, username } = await newcomer()
    const code = await codeFor(id)
    const passwords = Array.from({ length: 8 }, (_, n) => `a different one ${n}`)
    const answers = await Promise.all(passwords.map((password) => use(code, password)))
    const won = answers.flatMap(({ status }, place) => (status === 200 ? [passwords[place] ?? ''] : []))
    expect(won).toHaveLength(1)
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(7)
    expect((await signIn(username, won[0] ?? '')).status).toBe(200)
  })

  test('R-11 second factors stay, and a code alone signs nobody in', async () => {
    const { id, username } = await newcomer({ password: PASSWORD })
    const person = new Person(server)
    await person.signIn('riverside', username)
    await enrolPasskey(person)
    expect((await use(await codeFor(id))).status).toBe(200)
    expect((await signIn(username, NEXT)).body).toMatchObject({ status: 'second-factor' })
  })

  test('R-11 unless the administrator has chosen that they go as well: then, and not before the code is used', async () => {
    const { id, username } = await newcomer({ password: PASSWORD })
    const person = new Person(server)
    await person.signIn('riverside', username)
    await enrolPasskey(person)
    const code = await codeFor(id, { resetFactors: true })
    expect((await signIn(username, PASSWORD)).body).toMatchObject({ status: 'second-factor' })
    expect((await use(code)).status).toBe(200)
    expect((await signIn(username, NEXT)).body).toMatchObject({ status: 'authenticated' })
    expect(await auditOf(server, 'riverside', { action: 'factor.reset', user: id })).toMatchObject([
      { outcome: 'allowed', reason: 'administrator', count: 1 },
    ])
    expect(await auditOf(server, 'riverside', { action: 'password.reset', user: id })).toMatchObject([
      { outcome: 'allowed', reason: 'factor-changed', count: 1 },
    ])
  })

  test.each([
    ['one of the commonest', () => 'Password123', 'password-common'],
    ['the account’s own name', (username: string) => username, 'password-of-account'],
  ])('%s is refused, it is said why, and the code still serves', async (_, passwordOf, why) => {
    const { id, username } = await newcomer()
    const password = passwordOf(username)
    const code = await codeFor(id)
    const answer = await use(code, password)
    expect(answer.body).toMatchObject({ status: 400, code: 'invalid', why, fields: ['/password'] })
    expect(answer.text).not.toContain(password)
    expect((await use(code, 'x7!kq2p')).body).toMatchObject({ code: 'invalid', fields: ['/password'] })
    expect((await use(code)).status).toBe(200)
  })

  test('the database and the log never hold it', async () => {
    const { id } = await newcomer()
    const code = await codeFor(id)
    const [, secret = ''] = code.split('.')
    const [dump] = await server.database.query<{ whole: string }>(
      `SELECT string_agg(c::text, ' ') || (SELECT string_agg(encode(event, 'escape'), ' ') FROM audit_outbox) AS whole FROM set_up_codes c`,
    )
    expect(secret).toHaveLength(43)
    expect(dump?.whole).toContain(id)
    expect(dump?.whole).not.toContain(secret)
    expect(dump?.whole).not.toContain(Buffer.from(secret, 'base64url').toString('hex'))
  })
})

type Methods = Record<string, (...args: unknown[]) => unknown>

/** Notes every call of the database and every hash until it is called. @returns them in order */
function watchWork(): () => string[] {
  const steps: string[] = []
  const spies = [server.ctx.database, server.ctx.passwords].flatMap((part) => {
    const methods = part as unknown as Methods
    return Object.keys(methods)
      .filter((name) => typeof methods[name] === 'function')
      .map((name) => {
        const method = methods[name]?.bind(part)
        return vi.spyOn(methods, name).mockImplementation((...args) => {
          // What time brings goes on beside it.
          if (!/^(forget|list|poll|readHeads)/.test(name)) steps.push(name)
          return method?.(...args)
        })
      })
  })
  return () => {
    for (const spy of spies) spy.mockRestore()
    return steps
  }
}

describe('R-10 a code that serves no more', () => {
  /** Each ends with a code of that kind. */
  const kinds: Readonly<Record<string, () => Promise<string>>> = {
    'nobody has made': async () => `${server.tenants.get('riverside') ?? ''}.${'x'.repeat(43)}`,
    'of no organisation': async () => `3f2504e0-4f89-41d3-9a0c-0305e82c3301.${'x'.repeat(43)}`,
    'that is none': async () => 'let me in',
    'was used': async () => {
      const code = await codeFor((await newcomer()).id)
      await use(code)
      return code
    },
    'is too old': async () => {
      const code = await codeFor((await newcomer()).id)
      clock.advance(24 * HOUR_MS)
      return code
    },
    'a newer one has replaced': async () => {
      const { id } = await newcomer()
      const code = await codeFor(id)
      await codeFor(id)
      return code
    },
    'is of an account that was disabled, and enabled again': async () => {
      const { id } = await newcomer()
      const code = await codeFor(id)
      await admin.call('PATCH', `/admin/users/${id}`, { body: { disabled: true } })
      await admin.call('PATCH', `/admin/users/${id}`, { body: { disabled: false } })
      return code
    },
    'is of somebody who has changed their password since': async () => {
      const { id, username } = await newcomer({ password: PASSWORD })
      const code = await codeFor(id)
      const person = new Person(server)
      await person.signIn('riverside', username)
      await person.call('POST', '/me/password', {
        body: { password: PASSWORD, newPassword: 'teapot marsh otter nine' },
      })
      return code
    },
    'is of an organisation that is no more': async () => {
      const { id } = await newcomer()
      const code = await codeFor(id)
      await server.database.query(`UPDATE tenants SET disabled_at = now() WHERE slug = 'riverside'`)
      return code
    },
  }
  const enableTenant = () => server.database.query(`UPDATE tenants SET disabled_at = NULL WHERE slug = 'riverside'`)

  test('is answered alike to the last header, after the same work, whatever is wrong with it', async () => {
    const answers = new Map<string, string>()
    const steps = new Map<string, string[]>()
    for (const [kind, codeOf] of Object.entries(kinds)) {
      const code = await codeOf()
      const done = watchWork()
      // One of the commonest: that too is said to who has a code, and to nobody else.
      const { status, headers, text } = await use(code, 'Password123')
      steps.set(kind, done())
      await enableTenant()
      const said = Object.entries(headers).filter(([name]) => !['date', 'x-request-id'].includes(name))
      answers.set(kind, JSON.stringify([status, said.sort(([a], [b]) => a.localeCompare(b)), text]))
    }
    expect(new Set(answers.values()).size, [...answers.entries()].join('\n')).toBe(1)
    expect([...answers.values()][0]).toContain('unauthenticated')
    for (const [kind, each] of steps) expect(each, kind).toEqual(['readTenant', 'hash', 'auditOnly'])
  })

  test('is written down, in the audit of whose it was', async () => {
    const found = await auditOf(server, 'riverside', { action: 'password.set-up', outcome: 'refused' })
    expect(found.map(({ reason }) => reason)).toEqual(expect.arrayContaining(['set-up-code', 'user-disabled']))
  })

  test('keeps nobody out: after a hundred of them the person signs in as ever', async () => {
    await signedIn(server, 'riverside/clerk.moss')
    const code = `${server.tenants.get('riverside') ?? ''}.${'y'.repeat(43)}`
    for (let n = 0; n < 100; n += 1) expect((await use(code)).status).toBe(401)
    await signedIn(server, 'riverside/clerk.moss')
  })

  test('is limited by address, as sign-ins are', async () => {
    const { signInsPerMinute } = server.ctx.config.preAuth
    const code = `${server.tenants.get('riverside') ?? ''}.${'z'.repeat(43)}`
    let limited = 0
    for (let n = 0; n < signInsPerMinute && limited === 0; n += 1) {
      const { status, body } = await use(code)
      if (status === 429) {
        limited += 1
        expect(body).toMatchObject({ code: 'rate-limited' })
      }
    }
    expect(limited).toBe(1)
    clock.advance(60_000)
    expect((await use(code)).status).toBe(401)
  })
})

describe('R-74 the audit says of whose account one was made, for the alarm', () => {
  test.each([
    ['auditor.chen', 'auditor'],
    ['clerk.moss', undefined],
  ])('%s, who has signed in', async (username, role) => {
    const { user } = await signedIn(server, `riverside/${username}`)
    await codeFor(user.id)
    const [made] = await auditOf(server, 'riverside', { action: 'password.reset', outcome: 'allowed', user: user.id })
    expect(made?.role).toBe(role)
    expect(made?.count).toBeGreaterThan(0)
  })
})

describe('R-38 who makes one', () => {
  test('an administrator, for others; nobody else, and not without a step-up', async () => {
    admin = await signedIn(server, 'riverside/admin.reyes')
    const nurse = await signedIn(server, 'riverside/pharmacist.vega')
    expect((await make(admin.user.id)).body).toMatchObject({ code: 'forbidden' })
    expect((await make(admin.user.id, {}, nurse)).body).toMatchObject({ code: 'forbidden' })
    expect((await make(idOf('lakeside/admin.novak'))).body).toMatchObject({ code: 'not-found' })
    clock.advance(16 * 60_000)
    await admin.refresh()
    expect((await make(nurse.user.id)).body).toMatchObject({ code: 'step-up-required' })
    const refused = await auditOf(server, 'riverside', { action: 'password.reset', outcome: 'refused' })
    expect(refused.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['own-account', 'no-permission', 'not-found', 'step-up']),
    )
  })

  test('not for who may not sign in, nor for a program', async () => {
    const { id } = await newcomer()
    await admin.call('PATCH', `/admin/users/${id}`, { body: { disabled: true } })
    expect((await make(id)).body).toMatchObject({ code: 'conflict' })
    await server.database.query(`UPDATE users SET kind = 'service' WHERE id = $1`, [id])
    expect((await make(id)).body).toMatchObject({ code: 'not-found' })
  })

  test('so many a minute', async () => {
    const { id } = await newcomer()
    const statuses: number[] = []
    for (let n = 0; n < 25; n += 1) statuses.push((await make(id)).status)
    expect(statuses).toContain(201)
    expect(statuses.at(-1)).toBe(429)
  })
})
