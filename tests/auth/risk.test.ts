import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { manualClock } from '../../apps/server/src/clock.ts'
import { auditOf } from '../_util/audit.ts'
import { codeAt, STEP_MS } from '../_util/authenticator.ts'
import { claimsOf, type Person, signedIn } from '../_util/person.ts'
import { enrol } from '../_util/second-factor.ts'
import { PASSWORD, startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket } from '../_util/socket.ts'

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0'
const EDGE = 'Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36 Edg/130.0'
const clock = manualClock()
let server: TestServer
let person: Person
let admin: Person

beforeAll(async () => {
  // The test speaks as a proxy does, so that it can come from anywhere.
  server = await startTestServer({ clock, config: { trustedProxies: ['127.0.0.0/8'] } })
})
afterAll(() => server.stop())
beforeEach(async () => {
  clock.advance(1_000)
  person = await from('192.0.2.7', 'physician.okafor')
  admin = await signedIn(server, 'riverside/admin.reyes')
  await decide({ onNetworkChange: 'renew', onAgentChange: 'step-up', onPasswordChange: 'renew', onRoleChange: 'renew' })
})

/** Somebody who signs in from there, with Firefox. */
async function from(address: string, username: string): Promise<Person> {
  return moved(await signedIn(server, `riverside/${username}`), address)
}

async function moved(someone: Person, address: string): Promise<Person> {
  // Signed in from the test's own address: what counts is what the session remembers.
  await server.database.query('UPDATE sessions SET networks = $2, agent = $3 WHERE id = $1', [
    sessionOf(someone),
    [address.replace(/\d+$/, '0/24')],
    'firefox/linux',
  ])
  clock.advance(1_001)
  return someone
}

const decide = (body: unknown) => admin.call('PATCH', '/admin/settings', { body })
const sessionOf = ({ token }: Person) => String(claimsOf(token)['sid'])
const at = (address: string, userAgent = FIREFOX) => ({
  headers: { 'x-forwarded-for': address, 'x-forwarded-proto': 'https', 'user-agent': userAgent },
})
const me = (where: ReturnType<typeof at>) =>
  person.call('GET', '/me', { headers: { authorization: `DPoP ${person.token}`, ...where.headers } })
const about = () => ({ session: sessionOf(person) })

describe('R-18 another network', () => {
  test('another address of the same network is none', async () => {
    expect((await me(at('192.0.2.200'))).status).toBe(200)
  })

  test('renew: the old token is refused there and soon everywhere; the cookie gives another; a known network is not asked about again', async () => {
    expect((await me(at('198.51.100.1'))).status).toBe(401)
    await person.refresh(at('198.51.100.1'))
    expect((await me(at('198.51.100.1'))).status).toBe(200)
    expect((await me(at('192.0.2.7'))).status).toBe(200)
    expect((await me(at('198.51.100.9'))).status).toBe(200)
    expect(await auditOf(server, 'riverside', { action: 'session.demand', ...about() })).toMatchObject([
      { outcome: 'allowed', reason: 'network-changed' },
    ])
  })

  test('step-up: locked until it is shown who it is, over HTTP and on the socket', async () => {
    await decide({ onNetworkChange: 'step-up' })
    clock.advance(1_001)
    const socket = await openSocket(await person_())
    expect((await me(at('198.51.100.2'))).body).toMatchObject({ code: 'locked', why: 'locked-risk' })
    expect(await socket.closing()).toEqual({ code: 4423, reason: 'locked' })
    const authTime = claimsOf(person.token)['auth_time']
    clock.advance(5_000)
    const body = { password: PASSWORD }
    const { headers } = at('198.51.100.2')
    const opened = await person.call('POST', '/auth/unlock', {
      body,
      headers: { authorization: `DPoP ${person.token}`, ...headers },
    })
    expect(opened.status).toBe(200)
    const { accessToken } = opened.body as { accessToken: string }
    expect(Number(claimsOf(accessToken)['auth_time'])).toBeGreaterThan(Number(authTime))
    expect((await me(at('198.51.100.2'))).status).toBe(200)
  })

  test('step-up, while it is locked already: what opens it is then the second factor, and no password', async () => {
    await decide({ onNetworkChange: 'step-up' })
    person = await signedIn(server, 'riverside/pharmacist.vega')
    const { secret } = await enrol(person)
    await moved(person, '192.0.2.7')
    const lock = () => callFrom('192.0.2.7', '/auth/lock')
    await lock()
    expect((await unlock('192.0.2.7', { password: PASSWORD })).status, 'locked by hand').toBe(200)
    await lock()
    // The very call that would unlock it is the one that comes from elsewhere; and then every other.
    for (const address of ['198.51.100.5', '192.0.2.7']) {
      const refused = await unlock(address, { password: PASSWORD })
      expect(refused.body).toMatchObject({ code: 'step-up-required', why: 'code-wanted' })
      expect(refused.headers['www-authenticate']).toContain('acr_values="aal2"')
      expect((await me(at(address))).body).toMatchObject({ code: 'locked', why: 'locked-risk' })
    }
    clock.advance(STEP_MS)
    expect((await unlock('198.51.100.5', { totp: codeAt(secret, clock.now()) })).status).toBe(200)
    expect((await me(at('198.51.100.5'))).status).toBe(200)
  })

  test('end: the session is over', async () => {
    await decide({ onNetworkChange: 'end' })
    clock.advance(1_001)
    expect((await me(at('198.51.100.3'))).status).toBe(401)
    expect((await me(at('192.0.2.7'))).status).toBe(401)
    expect((await person.refresh()).status).toBe(401)
    expect(await auditOf(server, 'riverside', { action: 'session.end', ...about() })).toMatchObject([
      { reason: 'network-changed' },
    ])
  })

  test('ignore: it is written down, and nothing else', async () => {
    await decide({ onNetworkChange: 'ignore' })
    clock.advance(1_001)
    expect((await me(at('198.51.100.4'))).status).toBe(200)
    expect(await auditOf(server, 'riverside', { action: 'session.move', ...about() })).toHaveLength(1)
  })

  test('a stranger with the token and without the key moves nothing', async () => {
    await decide({ onNetworkChange: 'end' })
    clock.advance(1_001)
    const thief = await from('203.0.113.1', 'nurse.lind')
    const headers = { ...at('203.0.113.1').headers, authorization: `DPoP ${person.token}` }
    expect((await thief.call('GET', '/me', { headers })).status).toBe(401)
    expect((await me(at('192.0.2.7'))).status).toBe(200)
  })
})

/** Tries to unlock it by this, from there. */
const unlock = (address: string, body: unknown) => callFrom(address, '/auth/unlock', body)

function callFrom(address: string, path: string, body?: unknown) {
  const headers = { authorization: `DPoP ${person.token}`, ...at(address).headers }
  return person.call('POST', path, { headers, ...(body === undefined ? {} : { body }) })
}

/** With a socket, which comes from the test's own address. */
async function person_(): Promise<Person> {
  await server.database.query('UPDATE sessions SET networks = networks || $2, agent = NULL WHERE id = $1', [
    sessionOf(person),
    ['127.0.0.0/24'],
  ])
  clock.advance(1_001)
  return person
}

test('R-18 another kind of browser by the same key: locked, by default; a new version of the same is none', async () => {
  expect((await me(at('192.0.2.7', FIREFOX.replaceAll('128', '140')))).status).toBe(200)
  expect((await me(at('192.0.2.7', EDGE))).body).toMatchObject({ code: 'locked', why: 'locked-risk' })
})

describe('R-18 what changes about the person', () => {
  test('a new role: older tokens serve for half a minute, the socket is asked to renew', async () => {
    const okafor = await person_()
    const socket = await openSocket(okafor)
    const here = { headers: { authorization: `DPoP ${okafor.token}` } }
    await admin.call('PATCH', `/admin/users/${okafor.user.id}`, { body: { roles: ['physician', 'unit-clerk'] } })
    expect(await socket.frame('session.renew-required')).toMatchObject({ reason: 'role-change' })
    expect((await okafor.call('GET', '/me', here)).status).toBe(200)
    clock.advance(31_000)
    expect((await okafor.call('GET', '/me', here)).status).toBe(401)
    await okafor.refresh()
    expect((await okafor.call('GET', '/me')).status).toBe(200)
    await admin.call('PATCH', `/admin/users/${okafor.user.id}`, { body: { roles: ['physician'] } })
  })

  test('a new role, where the organisation wants it so, ends the session', async () => {
    await decide({ onRoleChange: 'end' })
    clock.advance(1_001)
    await admin.call('PATCH', `/admin/users/${person.user.id}`, { body: { roles: ['physician', 'unit-clerk'] } })
    expect((await person.call('GET', '/me')).status).toBe(401)
    await admin.call('PATCH', `/admin/users/${person.user.id}`, { body: { roles: ['physician'] } })
  })

  test('an administrator asks for a new token, or for proof; not for nothing', async () => {
    const okafor = await person_()
    const path = `/admin/sessions/${sessionOf(okafor)}/renew`
    expect((await okafor.call('POST', path, { body: { demand: 'renew' } })).status).toBe(403)
    expect((await admin.call('POST', path, { body: { demand: 'renew' } })).status).toBe(204)
    clock.advance(31_000)
    expect((await okafor.call('GET', '/me')).status).toBe(401)
    await okafor.refresh()
    expect((await okafor.call('GET', '/me')).status).toBe(200)
    expect((await admin.call('POST', path, { body: { demand: 'step-up' } })).status).toBe(204)
    expect((await okafor.call('GET', '/me')).body).toMatchObject({ code: 'locked', why: 'locked-risk' })
    expect((await okafor.call('POST', '/auth/unlock', { body: { password: PASSWORD } })).status).toBe(200)
  })
})
