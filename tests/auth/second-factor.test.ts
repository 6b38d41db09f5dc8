import { factors, loginAnswer } from '@wardline/protocol'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { manualClock } from '../../apps/server/src/clock.ts'
import { auditOf } from '../_util/audit.ts'
import { codeAt, STEP_MS, wrongCodeAt } from '../_util/authenticator.ts'
import { claimsOf, Person, signedIn } from '../_util/person.ts'
import { answerWith, challengeOf, enrol } from '../_util/second-factor.ts'
import { PASSWORD, startTestServer, type TestServer } from '../_util/server.ts'

const ADMIN = 'riverside/admin.reyes'
let server: TestServer
let secret: string
let codes: string[]
const clock = manualClock(Date.UTC(2026, 5, 1, 8))
const now = () => codeAt(secret, clock.now())

beforeAll(async () => {
  server = await startTestServer({ clock })
  ;({ secret, recoveryCodes: codes } = await enrol(await signedIn(server, ADMIN)))
})
// A code is good once: each test has one of its own, and waits out nobody's slow-down.
beforeEach(() => clock.advance(10 * STEP_MS))
afterAll(() => server.stop())

async function attempt(given: { totp: string } | { recoveryCode: string }) {
  const person = new Person(server)
  return answerWith(person, await challengeOf(person, ADMIN), given)
}

describe('R-11 signing in with a second factor', () => {
  test('the password alone gives a challenge: no token, no cookie, no session', async () => {
    const person = new Person(server)
    const answer = await person.signIn('riverside', 'admin.reyes')
    expect(answer.status).toBe(200)
    expect(answer.headers['set-cookie']).toBeUndefined()
    expect(loginAnswer.parse(answer.body)).toMatchObject({ methods: ['totp', 'recovery-code'], expiresIn: 300 })
    const events = await auditOf(server, 'riverside', { action: 'auth.login', device: person.key.jkt })
    expect(events).toMatchObject([{ outcome: 'allowed', reason: 'second-factor' }])
    expect(events[0]?.session).toBeUndefined()
  })

  test('the code gives the session, and the token says how it came about', async () => {
    const person = new Person(server)
    const challenge = await challengeOf(person, ADMIN)
    expect((await answerWith(person, challenge, { totp: now() })).status).toBe(200)
    expect((await person.call('GET', '/me')).status).toBe(200)
    expect(claimsOf(person.token)).toMatchObject({ acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] })
    expect((await person.refresh()).status).toBe(200)
    expect(claimsOf(person.token)).toMatchObject({ acr: 'aal2', auth_time: clock.now() / 1000 })
    const session = String(claimsOf(person.token)['sid'])
    expect(await auditOf(server, 'riverside', { action: 'auth.second-factor', session })).toMatchObject([
      { outcome: 'allowed', actor: person.user.id, device: person.key.jkt },
    ])
  })

  test('a wrong code is refused and it is said that it was the code; a wrong password still says nothing', async () => {
    const wrong = await attempt({ totp: wrongCodeAt(secret, clock.now()) })
    expect(wrong.body).toMatchObject({ status: 401, code: 'unauthenticated', why: 'code-wrong' })
    expect(wrong.headers['set-cookie']).toBeUndefined()
    const answer = await new Person(server).signIn('riverside', 'admin.reyes', { password: 'wrong' })
    expect(answer.body).not.toHaveProperty('why')
  })

  test('ASVS 6.5.1: a code is good once, for everybody together', async () => {
    const totp = now()
    expect((await attempt({ totp })).status).toBe(200)
    expect((await attempt({ totp })).body).toMatchObject({ status: 401, why: 'code-used' })
    expect((await attempt({ totp: codeAt(secret, clock.now() - STEP_MS) })).body, 'nor an older one').toMatchObject({
      why: 'code-used',
    })
  })

  test('of 20 who show one code at once, one comes in', async () => {
    const people = Array.from({ length: 20 }, () => new Person(server))
    const challenges = await Promise.all(people.map((person) => challengeOf(person, ADMIN)))
    const totp = now()
    const answers = await Promise.all(people.map((person, at) => answerWith(person, challenges[at] ?? '', { totp })))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  })

  test('a challenge is good once, for its own device, for five minutes and five tries', async () => {
    const person = new Person(server)
    const challenge = await challengeOf(person, ADMIN)
    expect((await answerWith(new Person(server), challenge, { totp: now() })).status, 'another device').toBe(401)
    expect((await answerWith(person, challenge, { totp: now() })).status).toBe(200)
    clock.advance(STEP_MS)
    expect((await answerWith(person, challenge, { totp: now() })).status, 'again').toBe(401)

    const late = await challengeOf(person, ADMIN)
    clock.advance(300_000)
    expect((await answerWith(person, late, { totp: now() })).status, 'late').toBe(401)

    const often = await challengeOf(person, ADMIN)
    for (let tries = 0; tries < 5; tries += 1) {
      const recoveryCode = `aaaa-aaaa-aaaa-aaa${tries}`
      expect((await answerWith(person, often, { recoveryCode })).body).toMatchObject({ why: 'code-wrong' })
    }
    const sixth = await answerWith(person, often, { totp: now() })
    expect(sixth.body).toMatchObject({ status: 401 })
    expect(sixth.body).not.toHaveProperty('why')
    const twisted = `${often.slice(0, -2)}AA`
    expect((await answerWith(person, twisted, { totp: now() })).status, 'a made-up one').toBe(401)
  })

  test('a challenge is no token, no refresh cookie, and a refresh cookie is no challenge', async () => {
    const person = new Person(server)
    const challenge = await challengeOf(person, ADMIN)
    person.token = challenge
    expect((await person.call('GET', '/me')).status).toBe(401)
    expect((await person.refresh({ cookie: challenge })).status).toBe(401)
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    expect((await answerWith(nurse, nurse.cookie, { totp: now() })).status).toBe(401)
  })

  test('R-10: who guesses waits longer and longer; a recovery code opens all the same', async () => {
    const person = new Person(server)
    const challenge = await challengeOf(person, ADMIN)
    const wrong = { totp: wrongCodeAt(secret, clock.now()) }
    for (let tries = 0; tries < 5; tries += 1) await answerWith(person, challenge, wrong)
    const next = await challengeOf(person, ADMIN)
    expect((await answerWith(person, next, { totp: now() })).body).toMatchObject({
      code: 'rate-limited',
      retryAfterMs: 1000,
    })
    clock.advance(1000)
    await answerWith(person, next, { totp: wrongCodeAt(secret, clock.now()) })
    expect((await answerWith(person, next, { totp: now() })).body).toMatchObject({ retryAfterMs: 2000 })
    expect((await answerWith(person, next, { recoveryCode: codes[9] ?? '' })).status).toBe(200)
    clock.advance(2000)
    expect((await attempt({ totp: now() })).status).toBe(200)
  })

  test('a recovery code is good once, however it is spelt', async () => {
    const [code = ''] = codes
    expect((await attempt({ recoveryCode: code.toUpperCase().replaceAll('-', ' ') })).status).toBe(200)
    expect((await attempt({ recoveryCode: code })).body).toMatchObject({ status: 401, why: 'code-wrong' })
  })

  test.each([
    ['letters', { totp: 'abcdef' }],
    ['seven digits', { totp: '1234567' }],
    ['both', { totp: '123456', recoveryCode: 'aaaa-aaaa-aaaa-aaaa' }],
    ['neither', {}],
    ['a field more', { totp: '123456', admin: true }],
  ])('%s: 400', async (_name, given) => {
    const person = new Person(server)
    const challenge = await challengeOf(person, ADMIN)
    expect((await person.bare('POST', '/auth/second-factor', { body: { challenge, ...given } })).status).toBe(400)
  })

  test('a disabled user’s challenge opens nothing', async () => {
    const who = 'lakeside/admin.novak'
    const held = await enrol(await signedIn(server, who))
    clock.advance(STEP_MS)
    const person = new Person(server)
    const challenge = await challengeOf(person, who)
    await server.database.query(`UPDATE users SET disabled_at = now() WHERE username = 'admin.novak'`)
    expect((await answerWith(person, challenge, { totp: codeAt(held.secret, clock.now()) })).status).toBe(401)
  })
})

describe('R-11 one’s own factors', () => {
  test('enrolling ends other sessions, and a password asked for before it is not enough after it', async () => {
    const person = await signedIn(server, 'riverside/auditor.chen')
    const elsewhere = await signedIn(server, 'riverside/auditor.chen')
    const before = factors.parse((await person.call('GET', '/me/factors')).body)
    expect(before).toEqual({ items: [], recoveryCodes: 0 })
    const held = await enrol(person)
    expect((await person.call('GET', '/me')).status).toBe(200)
    expect((await elsewhere.call('GET', '/me')).status).toBe(401)
    const { items, recoveryCodes } = factors.parse((await person.call('GET', '/me/factors')).body)
    expect(items.map(({ id, kind }) => [id, kind])).toEqual([[held.id, 'totp']])
    expect(recoveryCodes).toBe(10)
    expect((await person.call('POST', '/me/factors/totp')).body, 'by a token of before').toMatchObject({
      code: 'step-up-required',
    })
    const about = { action: 'factor.enrol', actor: person.user.id } as const
    expect(await auditOf(server, 'riverside', { ...about, outcome: 'allowed' })).toMatchObject([{ count: 1 }])
    expect(await auditOf(server, 'riverside', { ...about, outcome: 'refused' })).toMatchObject([{ reason: 'step-up' }])
  })

  test('what was begun and not confirmed opens nothing and is asked of nobody', async () => {
    const person = await signedIn(server, 'riverside/physician.okafor')
    await person.call('POST', '/me/factors/totp')
    const wrong = await person.call('POST', '/me/factors/totp/confirm', { body: { code: '000000' } })
    expect(wrong.body).toMatchObject({ status: 400, why: 'code-wrong' })
    await signedIn(server, 'riverside/physician.okafor')
    expect(factors.parse((await person.call('GET', '/me/factors')).body).items).toEqual([])
  })

  test('a change needs a sign-in of the last ten minutes', async () => {
    const person = await signedIn(server, 'riverside/nurse.lind')
    clock.advance(10 * 60_000 + 1000)
    await person.refresh()
    expect((await person.call('POST', '/me/factors/totp')).body).toMatchObject({
      status: 401,
      code: 'step-up-required',
      retry: 'after-step-up',
    })
  })

  test('removing it takes the second factor, ends other sessions and shreds the secret', async () => {
    const who = 'riverside/pharmacist.vega'
    const person = await signedIn(server, who)
    const held = await enrol(person)
    expect((await person.call('DELETE', `/me/factors/${held.id}`)).body, 'this token is of the password').toMatchObject(
      {
        code: 'step-up-required',
      },
    )
    clock.advance(STEP_MS)
    const again = new Person(server)
    const challenge = await challengeOf(again, who)
    await answerWith(again, challenge, { totp: codeAt(held.secret, clock.now()) })
    const half = new Person(server)
    const unanswered = await challengeOf(half, who)
    expect((await again.call('DELETE', `/me/factors/${held.id}`)).status).toBe(204)
    expect((await again.call('GET', '/me')).status).toBe(200)
    expect((await person.call('GET', '/me')).status).toBe(401)
    expect((await answerWith(half, unanswered, { recoveryCode: held.recoveryCodes[0] ?? '' })).status).toBe(401)
    await signedIn(server, who)
    const [row] = await server.database.query<{ wrapped: Buffer | null }>(
      'SELECT k.wrapped FROM second_factors f JOIN data_keys k ON k.id = f.data_key_id WHERE f.id = $1',
      [held.id],
    )
    expect(row?.wrapped).toBeNull()
    expect(await auditOf(server, 'riverside', { action: 'factor.remove', outcome: 'allowed' })).toHaveLength(1)
  })

  test('a challenge on a password that holds no more opens nothing', async () => {
    const who = 'riverside/physician.okafor'
    const person = await signedIn(server, who)
    const held = await enrol(person)
    const half = new Person(server)
    const unanswered = await challengeOf(half, who)
    const body = { password: PASSWORD, newPassword: 'quite another one 7' }
    expect((await person.call('POST', '/me/password', { body })).status).toBe(204)
    const [recoveryCode = ''] = held.recoveryCodes
    expect((await answerWith(half, unanswered, { recoveryCode })).status).toBe(401)
    const anew = await challengeOf(half, who, { password: body.newPassword })
    expect((await answerWith(half, anew, { recoveryCode })).status).toBe(200)
  })

  test('nobody removes another’s', async () => {
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    const mine = await enrol(nurse)
    clock.advance(STEP_MS)
    const admin = new Person(server)
    await answerWith(admin, await challengeOf(admin, ADMIN), { totp: now() })
    expect((await admin.call('DELETE', `/me/factors/${mine.id}`)).status).toBe(404)
  })
})

test('R-65 no secret, code or challenge is logged or audited, and none stands in the database as it is', async () => {
  const person = new Person(server)
  const challenge = await challengeOf(person, ADMIN)
  const totp = now()
  await answerWith(person, challenge, { totp })
  const rows = await server.database.query<{ event: Buffer }>('SELECT event FROM audit_outbox')
  const tables = await server.database.query<{ row: string }>(
    `SELECT f::text AS row FROM second_factors f UNION ALL SELECT c::text FROM recovery_codes c
     UNION ALL SELECT s::text FROM sign_in_challenges s`,
  )
  const kept = [...server.logged, ...rows.map(({ event }) => event.toString()), ...tables.map(({ row }) => row)].join(
    '\n',
  )
  for (const text of [PASSWORD, secret, Buffer.from(secret).toString('hex'), challenge, ...codes, `"${totp}"`]) {
    expect(kept).not.toContain(text)
  }
})
