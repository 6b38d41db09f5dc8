import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { manualClock } from '../../apps/server/src/clock.ts'
import { auditOf } from '../_util/audit.ts'
import { codeAt, STEP_MS, wrongCodeAt } from '../_util/authenticator.ts'
import { claimsOf, type Person, signedIn } from '../_util/person.ts'
import { enrol } from '../_util/second-factor.ts'
import { PASSWORD, startTestServer, type TestServer } from '../_util/server.ts'

const MINUTE = 60_000
let server: TestServer
const clock = manualClock(Date.UTC(2026, 5, 1, 8))

beforeAll(async () => {
  server = await startTestServer({ clock })
})
afterAll(() => server.stop())

/** Gives the clerk a role: of high risk. */
const assign = (admin: Person, roles = ['unit-clerk', 'nurse']) =>
  admin.call('PATCH', `/admin/users/${server.users.get('riverside/clerk.moss')}`, { body: { roles } })

const stepUp = async (person: Person, body: object) => {
  const answer = await person.call('POST', '/auth/step-up', { body })
  if (answer.status === 200) person.token = (answer.body as { accessToken: string }).accessToken
  return answer
}

/** Somebody whose proof has grown old. */
async function longSignedIn(who: string): Promise<Person> {
  const person = await signedIn(server, who)
  clock.advance(16 * MINUTE)
  await person.refresh()
  return person
}

describe('[R-20] [R-35] step-up', () => {
  test('a proof of the last minutes serves; an old one is refused as RFC 9470 says it, and nothing is changed', async () => {
    const admin = await signedIn(server, 'riverside/admin.reyes')
    expect((await assign(admin)).status).toBe(200)
    clock.advance(15 * MINUTE)
    await admin.refresh()
    const refused = await assign(admin, ['unit-clerk', 'pharmacist'])
    expect(refused.body).toMatchObject({ status: 401, code: 'step-up-required', retry: 'after-step-up' })
    expect(refused.headers['www-authenticate']).toBe(
      'DPoP algs="ES256", error="insufficient_user_authentication", max_age="900"',
    )
    expect((await signedIn(server, 'riverside/clerk.moss')).user.roles).toEqual(['nurse', 'unit-clerk'])
    expect(await auditOf(server, 'riverside', { action: 'role.assign', reason: 'step-up' })).toHaveLength(1)
    expect((await admin.call('GET', '/admin/users')).status, 'what is of no high risk goes on').toBe(200)
  })

  test('the password renews it: in this token, and in those to come', async () => {
    const admin = await longSignedIn('riverside/admin.reyes')
    const { sid } = claimsOf(admin.token)
    expect((await stepUp(admin, { password: PASSWORD })).status).toBe(200)
    expect(claimsOf(admin.token)).toMatchObject({ sid, auth_time: clock.now() / 1000, acr: 'aal1', amr: ['pwd'] })
    expect((await assign(admin)).status).toBe(200)
    const at = clock.now() / 1000
    clock.advance(MINUTE)
    await admin.refresh()
    expect(claimsOf(admin.token)['auth_time']).toBe(at)
    expect(await auditOf(server, 'riverside', { action: 'auth.step-up', session: String(sid) })).toMatchObject([
      { outcome: 'allowed' },
    ])
  })

  test('a wrong password does not, and is said to be one', async () => {
    const admin = await longSignedIn('riverside/admin.reyes')
    const answer = await stepUp(admin, { password: 'not the password' })
    expect(answer.body).toMatchObject({ status: 400, code: 'invalid', why: 'password-wrong' })
    expect((await assign(admin)).status).toBe(401)
  })

  test('R-11: of who has a second factor that one is wanted, once each; the password is not enough', async () => {
    const admin = await signedIn(server, 'lakeside/admin.novak')
    const { secret, recoveryCodes } = await enrol(admin)
    clock.advance(16 * MINUTE)
    await admin.refresh()
    expect((await stepUp(admin, { password: PASSWORD })).body).toMatchObject({
      code: 'step-up-required',
      why: 'code-wanted',
    })
    expect((await stepUp(admin, { totp: wrongCodeAt(secret, clock.now()) })).body).toMatchObject({ why: 'code-wrong' })
    const totp = codeAt(secret, clock.now())
    expect((await stepUp(admin, { totp })).status).toBe(200)
    expect(claimsOf(admin.token)).toMatchObject({ acr: 'aal2', auth_time: clock.now() / 1000 })
    expect((await stepUp(admin, { totp })).body).toMatchObject({ why: 'code-used' })
    clock.advance(STEP_MS)
    expect((await stepUp(admin, { recoveryCode: recoveryCodes[0] ?? '' })).status).toBe(200)
  })

  test('a code of who has no second factor is no proof', async () => {
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    expect((await stepUp(nurse, { totp: '123456' })).body).toMatchObject({ status: 400, why: 'code-wrong' })
  })

  test('whoever holds a session cannot guess on and on', async () => {
    const nurse = await signedIn(server, 'riverside/physician.okafor')
    const statuses = []
    for (let tries = 0; tries < 12; tries += 1)
      statuses.push((await stepUp(nurse, { password: `guess ${tries}` })).status)
    expect(statuses.slice(-1)).toEqual([429])
  })

  test('factors of one’s own can be changed after it', async () => {
    const person = await longSignedIn('riverside/pharmacist.vega')
    const refused = await person.call('POST', '/me/factors/totp')
    expect(refused.headers['www-authenticate']).toContain('max_age="600"')
    await stepUp(person, { password: PASSWORD })
    expect((await person.call('POST', '/me/factors/totp')).status).toBe(200)
  })

  test('another’s session is ended after it alone; one’s own at any time', async () => {
    const admin = await longSignedIn('riverside/admin.reyes')
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    const path = (of: Person) => `/sessions/${String(claimsOf(of.token)['sid'])}`
    expect((await admin.call('DELETE', `/admin${path(nurse)}`)).body).toMatchObject({ code: 'step-up-required' })
    await stepUp(admin, { password: PASSWORD })
    expect((await admin.call('DELETE', `/admin${path(nurse)}`)).status).toBe(204)
    const clerk = await longSignedIn('riverside/clerk.moss')
    expect((await clerk.call('DELETE', `/me${path(clerk)}`)).status).toBe(204)
  })

  test('0 minutes of WARDLINE_STEP_UP_MINUTES: nobody is asked', async () => {
    const lax = await startTestServer({ beside: server, clock, config: { stepUpMs: 0 } })
    try {
      const admin = await longSignedIn('riverside/admin.reyes')
      const id = server.users.get('riverside/clerk.moss')
      const answer = await admin.call('PATCH', `/admin/users/${id}`, { body: { roles: ['unit-clerk'] }, at: lax })
      expect(answer.status).toBe(200)
    } finally {
      await lax.stop()
    }
  })

  test('R-65 nothing of it is logged or audited', async () => {
    const rows = await server.database.query<{ event: Buffer }>('SELECT event FROM audit_outbox')
    const kept = [...server.logged, ...rows.map(({ event }) => event.toString())].join('\n')
    for (const secret of [PASSWORD, 'not the password', 'guess 3']) expect(kept).not.toContain(secret)
  })
})
