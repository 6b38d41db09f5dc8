import { randomUUID } from 'node:crypto'
import { loginAnswer, type Role, refreshAnswer } from '@wardline/protocol'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { manualClock } from '../../apps/server/src/clock.ts'
import { auditOf } from '../_util/audit.ts'
import { codeAt, STEP_MS } from '../_util/authenticator.ts'
import { enrolPasskey } from '../_util/passkey.ts'
import { claimsOf, Person, signedIn } from '../_util/person.ts'
import { challengeOf, enrol } from '../_util/second-factor.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket } from '../_util/socket.ts'
import { calls } from '../matrix/calls.ts'

const ADMIN = 'riverside/admin.reyes'
const clock = manualClock(Date.UTC(2026, 5, 1, 8))
let server: TestServer
let adminSecret: string

beforeAll(async () => {
  server = await startTestServer({ clock, requireFactors: true })
})
beforeEach(() => clock.advance(2 * STEP_MS))
afterAll(() => server.stop())

/** An administrator with both factors shown just now. */
async function admin(): Promise<Person> {
  const person = new Person(server)
  clock.advance(STEP_MS)
  const answer = await person.signIn('riverside', 'admin.reyes', { totpSecret: adminSecret })
  if (answer.status !== 200) throw new Error(answer.text)
  return person
}

const ENROLLING = new Set([
  'GET /me',
  'GET /me/factors',
  'POST /me/factors/totp',
  'POST /me/factors/totp/confirm',
  'POST /me/factors/passkeys',
  'POST /me/factors/passkeys/confirm',
])

describe('R-11 whose role demands a second factor and who has none', () => {
  test('signs in by the password and is told to enrol; of all other calls none is answered, and no socket opens', async () => {
    const person = await signedIn(server, ADMIN)
    expect(person.user).toMatchObject({ mustEnrol: true, abilities: [] })
    const routes = Object.values(calls).flatMap((bySubject) => Object.values(bySubject).flat())
    const refused = []
    for (const { route, query } of routes) {
      const [method = '', path = ''] = route.replace(/:\w+/g, randomUUID()).split(' ')
      const answer = await person.call(method, query === undefined ? path : `${path}?${query}`)
      const { code } = (answer.body ?? {}) as { code?: string }
      if (ENROLLING.has(route)) expect(code, route).not.toBe('second-factor-required')
      else expect([answer.status, code], route).toEqual([403, 'second-factor-required'])
      if (!ENROLLING.has(route)) refused.push(route)
    }
    expect(refused.length).toBeGreaterThan(25)
    await expect(openSocket(person)).rejects.toThrow('4401')
    const trail = { actor: person.user.id, reason: 'no-second-factor' }
    expect(await auditOf(server, 'riverside', { ...trail, action: 'user.read' })).toMatchObject([
      { outcome: 'refused', session: claimsOf(person.token)['sid'] },
    ])
    await expect
      .poll(() => auditOf(server, 'riverside', { ...trail, action: 'socket.authenticate' }))
      .toMatchObject([{ outcome: 'refused', session: claimsOf(person.token)['sid'] }])
    expect((await person.call('POST', '/auth/logout', { headers: { 'x-csrf-token': person.csrf } })).status).toBe(204)
  })

  test('enrols an app, and the same session is a whole one at once', async () => {
    const person = await signedIn(server, ADMIN)
    ;({ secret: adminSecret } = await enrol(person))
    expect(refreshAnswer.parse((await person.refresh()).body).user).not.toHaveProperty('mustEnrol')
    expect(claimsOf(person.token)).toMatchObject({ acr: 'aal2', amr: ['pwd', 'otp', 'mfa'] })
    expect((await person.call('GET', '/admin/users')).status).toBe(200)
    ;(await openSocket(person)).cut()
    clock.advance(STEP_MS)
    const again = loginAnswer.parse((await new Person(server).signIn('riverside', 'admin.reyes')).body)
    expect(again.status).toBe('second-factor')
  })

  test('or a passkey', async () => {
    const person = await signedIn(server, 'riverside/auditor.chen')
    await enrolPasskey(person)
    expect(person.user).not.toHaveProperty('mustEnrol')
    expect((await person.call('GET', '/admin/audit/events')).status).toBe(200)
  })

  test('may not take the last one away; may, once there is another', async () => {
    const person = await admin()
    const remove = async (at: number) => {
      const { items } = (await person.call('GET', '/me/factors')).body as { items: { id: string }[] }
      return person.call('DELETE', `/me/factors/${items[at]?.id}`)
    }
    expect((await remove(0)).body).toMatchObject({ status: 409, code: 'conflict', why: 'factor-needed' })
    await enrolPasskey(person)
    expect((await remove(1)).status).toBe(204)
  })

  test('changes to another app without being without one in between', async () => {
    const person = await admin()
    const before = adminSecret
    const { secret, recoveryCodes } = await enrol(person)
    expect(recoveryCodes, 'those of before stay good').toEqual([])
    adminSecret = secret
    clock.advance(STEP_MS)
    const other = new Person(server)
    const challenge = await challengeOf(other, ADMIN)
    expect((await other.secondFactor({ challenge, totp: codeAt(before, clock.now()) })).status).toBe(401)
    expect((await other.secondFactor({ challenge, totp: codeAt(secret, clock.now()) })).status).toBe(200)
  })

  test('people of other roles sign in as before', async () => {
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    expect(nurse.user).not.toHaveProperty('mustEnrol')
    ;(await openSocket(nurse)).cut()
  })
})

describe('R-11 an administrator', () => {
  const require = (person: Person, requireSecondFactor: boolean, name = 'nurse') =>
    person.call('PATCH', `/admin/roles/${name}`, { body: { requireSecondFactor } })

  test('demands it of a role: on open sockets and in living sessions of every node, at once', async () => {
    const other = await startTestServer({ beside: server, clock })
    try {
      const chief = await admin()
      const nurse = await signedIn(server, 'riverside/nurse.lind')
      const [here, there] = [await openSocket(nurse), await openSocket(nurse, other)]
      const answer = await require(chief, true)
      expect(answer.body as Role).toMatchObject({ name: 'nurse', system: true, requireSecondFactor: true })
      expect(await here.closing()).toEqual({ code: 4440, reason: 'expired' })
      expect(await there.closing()).toEqual({ code: 4440, reason: 'expired' })
      expect((await nurse.call('GET', '/channels')).body).toMatchObject({ code: 'second-factor-required' })
      expect((await nurse.call('GET', '/channels', { at: other })).body).toMatchObject({
        code: 'second-factor-required',
      })
      await nurse.refresh()
      expect(nurse.user.mustEnrol).toBe(true)
      expect((await require(chief, false)).status).toBe(200)
      await expect.poll(async () => (await nurse.call('GET', '/channels')).status).toBe(200)
      expect(await auditOf(server, 'riverside', { action: 'role.update', role: 'nurse' })).toMatchObject([
        { outcome: 'allowed', reason: 'factor-required', actor: chief.user.id },
        { outcome: 'allowed', reason: 'factor-optional', actor: chief.user.id },
      ])
      expect((await require(chief, true, 'night-lead')).status).toBe(404)
    } finally {
      await other.stop()
    }
  })

  test('after a step-up, and nobody else', async () => {
    const chief = await admin()
    clock.advance(16 * 60_000)
    await chief.refresh()
    expect((await require(chief, true)).body).toMatchObject({ code: 'step-up-required' })
    expect((await require(await signedIn(server, 'riverside/nurse.lind'), false)).status).toBe(403)
  })

  test('takes the factors of another away who has lost them: their sessions end, and they enrol anew', async () => {
    const auditor = server.users.get('riverside/auditor.chen') ?? ''
    const lost = await challengeOf(new Person(server), 'riverside/auditor.chen')
    const chief = await admin()
    expect((await chief.call('DELETE', `/admin/users/${auditor}/factors`)).status).toBe(204)
    const half = new Person(server)
    expect((await half.secondFactor({ challenge: lost, recoveryCode: 'aaaa-aaaa-aaaa-aaaa' })).status).toBe(401)
    const anew = await signedIn(server, 'riverside/auditor.chen')
    expect(anew.user.mustEnrol).toBe(true)
    expect(await auditOf(server, 'riverside', { action: 'factor.reset', user: auditor })).toMatchObject([
      { outcome: 'allowed', actor: chief.user.id, count: 1 },
    ])
    expect(
      await server.database.query(`SELECT FROM passkeys WHERE removed_at IS NULL AND user_id = $1`, [auditor]),
    ).toEqual([])
  })

  test('not their own, not without a step-up; and nobody else does', async () => {
    const chief = await admin()
    expect((await chief.call('DELETE', `/admin/users/${chief.user.id}/factors`)).body).toMatchObject({
      code: 'forbidden',
    })
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    expect((await nurse.call('DELETE', `/admin/users/${chief.user.id}/factors`)).status).toBe(403)
    clock.advance(16 * 60_000)
    await chief.refresh()
    expect((await chief.call('DELETE', `/admin/users/${nurse.user.id}/factors`)).body).toMatchObject({
      code: 'step-up-required',
    })
    const refused = await auditOf(server, 'riverside', { action: 'factor.reset', outcome: 'refused' })
    expect(refused.map(({ reason }) => reason)).toEqual(
      expect.arrayContaining(['own-account', 'no-permission', 'step-up']),
    )
  })
})
