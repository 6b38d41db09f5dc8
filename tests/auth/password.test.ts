import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { manualClock } from '../../apps/server/src/clock.ts'
import { auditOf } from '../_util/audit.ts'
import { Person, signedIn } from '../_util/person.ts'
import { PASSWORD, startTestServer, type TestServer } from '../_util/server.ts'

const NEXT = 'quite another one 7'
let server: TestServer
const clock = manualClock(Date.UTC(2026, 5, 1, 8))

beforeAll(async () => {
  server = await startTestServer({ clock })
})
afterAll(() => server.stop())

const change = (person: Person, password: string, newPassword: string) =>
  person.call('POST', '/me/password', { body: { password, newPassword } })

describe('R-10 passwords', () => {
  test('one changes one’s own: the old one opens nothing any more, other sessions end, this one goes on', async () => {
    const here = await signedIn(server, 'riverside/nurse.lind')
    const elsewhere = await signedIn(server, 'riverside/nurse.lind')
    expect((await change(here, PASSWORD, NEXT)).status).toBe(204)
    expect((await here.call('GET', '/me')).status).toBe(200)
    expect((await elsewhere.call('GET', '/me')).status).toBe(401)
    expect((await elsewhere.refresh()).status).toBe(401)
    expect((await new Person(server).signIn('riverside', 'nurse.lind')).status).toBe(401)
    expect((await new Person(server).signIn('riverside', 'nurse.lind', { password: NEXT })).status).toBe(200)
    expect(await auditOf(server, 'riverside', { action: 'password.change', user: here.user.id })).toMatchObject([
      { outcome: 'allowed', actor: here.user.id, device: here.key.jkt, count: 1 },
    ])
  })

  test.each([
    ['a wrong one', 'not the password', 'a fine new password', 'password-wrong', '/password', 'password'],
    ['a common one', PASSWORD, 'Password123', 'password-common', '/newPassword', 'weak-password'],
    ['the account’s name', PASSWORD, 'Pharmacist.Vega1', 'password-of-account', '/newPassword', 'weak-password'],
    ['the same again', PASSWORD, PASSWORD, 'password-same', '/newPassword', 'weak-password'],
  ])('%s is refused and it is said why', async (_name, old, next, why, field, reason) => {
    const person = await signedIn(server, 'riverside/pharmacist.vega')
    const answer = await change(person, old, next)
    expect(answer.body).toMatchObject({ status: 400, code: 'invalid', why, fields: [field] })
    expect(answer.text).not.toContain(next)
    const events = await auditOf(server, 'riverside', { action: 'password.change', device: person.key.jkt })
    expect(events).toMatchObject([{ outcome: 'refused', reason }])
    await signedIn(server, 'riverside/pharmacist.vega')
  })

  test('fewer than eight characters are refused', async () => {
    const person = await signedIn(server, 'riverside/clerk.moss')
    expect((await change(person, PASSWORD, 'x7!kq2p')).body).toMatchObject({
      code: 'invalid',
      fields: ['/newPassword'],
    })
  })

  test('a common one is refused for a new account too', async () => {
    const admin = await signedIn(server, 'riverside/admin.reyes')
    const body = { username: 'new.nurse', displayName: 'New Nurse', roles: [], password: 'hospital2026' }
    const answer = await admin.call('POST', '/admin/users', { body })
    expect(answer.body).toMatchObject({ status: 400, why: 'password-common', fields: ['/password'] })
    const fine = await admin.call('POST', '/admin/users', { body: { ...body, password: 'the river runs by' } })
    expect(fine.status).toBe(201)
  })

  test('whoever holds a session cannot guess on and on', async () => {
    const person = await signedIn(server, 'riverside/clerk.moss')
    const statuses = []
    for (let tries = 0; tries < 12; tries += 1) statuses.push((await change(person, `guess ${tries} x`, NEXT)).status)
    expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(0)
    clock.advance(60_000)
    expect((await change(person, PASSWORD, NEXT)).status).toBe(204)
  })

  test('of two changes at once, one counts', async () => {
    const person = await signedIn(server, 'riverside/auditor.chen')
    const answers = await Promise.all([
      change(person, PASSWORD, 'first of the two'),
      change(person, PASSWORD, 'second of the two'),
    ])
    expect(answers.filter(({ status }) => status === 204)).toHaveLength(1)
  })

  test('R-65 no password is logged or audited', async () => {
    const rows = await server.database.query<{ event: Buffer }>('SELECT event FROM audit_outbox')
    const kept = [...server.logged, ...rows.map(({ event }) => event.toString())].join('\n')
    for (const secret of [PASSWORD, NEXT, 'hospital2026', 'the river runs by', 'first of the two'])
      expect(kept).not.toContain(secret)
  })
})
