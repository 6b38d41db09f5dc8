import { page, sessionSummary } from '@wardline/protocol'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { manualClock } from '../../apps/server/src/clock.ts'
import { addSigningKey } from '../../apps/server/src/keys/file-signing-provider.ts'
import { auditOf } from '../_util/audit.ts'
import { asOwner } from '../_util/database.ts'
import { DeviceKey } from '../_util/device-key.ts'
import { call } from '../_util/https.ts'
import { claimsOf, headerOf, Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket } from '../_util/socket.ts'

const clock = manualClock(Date.UTC(2026, 5, 1, 8))
let server: TestServer
let other: TestServer
let person: Person

beforeAll(async () => {
  server = await startTestServer({ clock })
  other = await startTestServer({ beside: server, clock })
})
afterAll(async () => {
  await other.stop()
  await server.stop()
})
beforeEach(async () => {
  person = await signedIn(server, 'riverside/nurse.lind')
})

const sessionOf = ({ token }: Person) => String(claimsOf(token)['sid'])
const statusOf = async (who: Person, at = server) => (await who.call('GET', '/me', { at })).status

describe('R-16: a call shows token and proof', () => {
  test.each([
    ['no token', { headers: { authorization: undefined } }],
    ['no proof', { headers: { dpop: undefined } }],
    ['another scheme', { headers: { authorization: 'Bearer x.y.z' } }],
    ['two proofs', { headers: { dpop: ['a.b.c', 'd.e.f'] } }],
    ['a proof for another path', { twisted: { claims: { htu: 'https://localhost/api/v1/me/sessions' } } }],
    ['a proof for another method', { twisted: { claims: { htm: 'POST' } } }],
    ['a proof for another token', { twisted: { claims: { ath: 'x'.repeat(43) } } }],
    ['a proof without the token', { twisted: { claims: { ath: undefined } } }],
    ['a proof with a nonce of somewhere', { twisted: { claims: { nonce: 'n'.repeat(32) } } }],
    ['an old proof', { twisted: { claims: { iat: clock.now() / 1000 - 61 } } }],
    ['a proof by another key', { twisted: { key: new DeviceKey().privateKey } }],
  ])('%s: 401, the same answer as for everything else', async (_name, options) => {
    const answer = await person.call('GET', '/me', options)
    const nobody = await call(server, { path: '/api/v1/me' })
    expect(answer.status).toBe(401)
    expect(answer.text).toBe(nobody.text)
    expect(await statusOf(person)).toBe(200)
  })

  test('a token carried off to another device is refused there, audited where it was stolen from', async () => {
    const thief = new Person(server)
    thief.token = person.token
    expect(await statusOf(thief)).toBe(401)
    await expect
      .poll(() => auditOf(server, 'riverside', { reason: 'device-mismatch', session: sessionOf(person) }))
      .toMatchObject([{ action: 'auth.request', actor: person.user.id, outcome: 'refused' }])
  })

  test('a proof is good once, on all nodes', async () => {
    const twisted = { claims: { jti: 'once-and-not-again-000000000000' } }
    expect((await person.call('GET', '/me', { twisted })).status).toBe(200)
    expect((await person.call('GET', '/me', { twisted })).status).toBe(401)
    const url = `${other.url}/api/v1/me`
    const elsewhere = person.key.proof({ method: 'GET', url, at: clock.now(), token: person.token }, twisted)
    expect((await person.call('GET', '/me', { at: other, headers: { dpop: elsewhere } })).status).toBe(401)
  })

  test('R-03: a token in the URL is worth nothing', async () => {
    const answer = await call(server, { path: `/api/v1/me?token=${person.token}&access_token=${person.token}` })
    expect(answer.status).toBe(401)
  })

  test('R-12: forged tokens get the same answer, and nobody is asked for their keys', async () => {
    const header = headerOf(person.token)
    const claims = claimsOf(person.token)
    const signature = person.token.split('.')[2] ?? ''
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
    const forged = [
      `${part({ ...header, alg: 'none' })}.${part(claims)}.`,
      `${part({ ...header, alg: 'HS256' })}.${part(claims)}.${signature}`,
      `${part({ ...header, jku: `${server.url}/evil.json`, kid: 'x' })}.${part(claims)}.${signature}`,
      `${part(header)}.${part({ ...claims, roles: ['administrator'] })}.${signature}`,
      `${part(header)}.${part({ ...claims, tenant: server.tenants.get('lakeside') })}.${signature}`,
      `${person.token}.x.y`,
      person.token.slice(0, -4),
      `${person.token}A`,
      'a.b.c',
    ]
    const answers = await Promise.all(
      forged.map((token) => person.call('GET', '/me', { headers: { authorization: `DPoP ${token}` } })),
    )
    expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1)
    expect(answers[0]?.status).toBe(401)
  })

  test('R-13: a token by a key that another process has added is good here', async () => {
    await addSigningKey(`${server.dataDir}/keys/signing`, clock.now() + 1)
    clock.advance(11_000)
    const before = headerOf(person.token)['kid']
    await person.refresh({ at: other })
    expect(headerOf(person.token)['kid']).not.toBe(before)
    expect(await statusOf(person)).toBe(200)
  })
})

test('R-51: one session asks no faster over HTTP than on a socket may be asked; others are not held up', async () => {
  const limits = { ...server.ctx.config.limits, requestsPerSecond: 2, requestBurst: 4 }
  const slow = await startTestServer({ beside: server, clock, config: { limits } })
  const [eager, patient] = [await signedIn(slow, 'riverside/nurse.lind'), await signedIn(slow, 'riverside/nurse.lind')]
  const answers = await Promise.all(Array.from({ length: 6 }, () => eager.call('GET', '/me')))
  expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([200, 200, 200, 200, 429, 429])
  expect(answers.find(({ status }) => status === 429)?.body).toMatchObject({ code: 'rate-limited', retryAfterMs: 500 })
  expect(await statusOf(patient, slow)).toBe(200)
  clock.advance(500)
  expect(await statusOf(eager, slow)).toBe(200)
  await slow.stop()
})

describe('R-19: logout', () => {
  test('ends session, tokens, cookie and sockets, on every node', async () => {
    const here = await openSocket(person)
    const there = await openSocket(person, other)
    const bystander = await signedIn(server, 'riverside/nurse.lind')
    const answer = await person.call('POST', '/auth/logout')
    expect(answer.status).toBe(204)
    expect([answer.headers['set-cookie']].flat()[0]).toMatch(/^__Host-wardline-refresh=;.*Secure/)
    expect(await here.closing()).toEqual({ code: 4403, reason: 'revoked' })
    expect(await there.closing()).toEqual({ code: 4403, reason: 'revoked' })
    expect(await statusOf(person)).toBe(401)
    expect((await person.refresh()).status).toBe(401)
    expect(await statusOf(bystander), 'another sign-in of the same person').toBe(200)
    expect(await auditOf(server, 'riverside', { action: 'auth.logout', session: sessionOf(person) })).toMatchObject([
      { outcome: 'allowed', actor: person.user.id, device: person.key.jkt, address: '127.0.0.1' },
    ])
  })

  test('without a living token, by the cookie, its CSRF token and the device', async () => {
    clock.advance(400_000)
    expect(await statusOf(person)).toBe(401)
    const cookie = `__Host-wardline-refresh=${person.cookie}`
    const headers = { cookie, 'x-csrf-token': person.csrf }
    expect((await person.bare('POST', '/auth/logout', { headers: { cookie } })).status).toBe(403)
    expect((await new Person(server).bare('POST', '/auth/logout', { headers })).status).toBe(401)
    expect((await person.bare('POST', '/auth/logout', { headers })).status).toBe(204)
    expect((await person.refresh()).status).toBe(401)
  })

  test('by nobody, from another site, twice', async () => {
    expect((await person.bare('POST', '/auth/logout')).status).toBe(401)
    expect((await person.call('POST', '/auth/logout', { headers: { origin: 'https://evil.test' } })).status).toBe(403)
    expect((await person.call('POST', '/auth/logout')).status).toBe(204)
    expect((await person.call('POST', '/auth/logout')).status).toBe(401)
  })
})

describe('where I am signed in', () => {
  test('lists my living sessions, this one marked, with their sockets', async () => {
    const okafor = await signedIn(server, 'riverside/physician.okafor')
    const elsewhere = await signedIn(server, 'riverside/physician.okafor')
    const ended = await signedIn(server, 'riverside/physician.okafor')
    await ended.call('POST', '/auth/logout')
    await openSocket(okafor)
    const { items, next } = page(sessionSummary).parse((await okafor.call('GET', '/me/sessions')).body)
    expect(next).toBeNull()
    expect(new Set(items.map(({ id }) => id))).toEqual(new Set([sessionOf(okafor), sessionOf(elsewhere)]))
    expect(items.find(({ id }) => id === sessionOf(okafor))).toMatchObject({
      current: true,
      sockets: 1,
      user: okafor.user.id,
    })
    expect(items.find(({ id }) => id === sessionOf(elsewhere))).toMatchObject({ current: false, sockets: 0 })
  })

  test('ends another sign-in of mine, and its socket', async () => {
    const elsewhere = await signedIn(other, 'riverside/nurse.lind')
    const socket = await openSocket(elsewhere, other)
    expect((await person.call('DELETE', `/me/sessions/${sessionOf(elsewhere)}`)).status).toBe(204)
    expect(await socket.closing()).toEqual({ code: 4403, reason: 'revoked' })
    expect(await statusOf(elsewhere, other)).toBe(401)
    expect(await statusOf(person)).toBe(200)
    expect(
      await auditOf(server, 'riverside', { action: 'account.end-session', subject: sessionOf(elsewhere) }),
    ).toMatchObject([{ outcome: 'allowed', reason: 'revoked', session: sessionOf(person) }])
  })

  test('R-37: nobody else’s, of whichever organisation; the answer is that of an id of nothing', async () => {
    const colleague = await signedIn(server, 'riverside/physician.okafor')
    const stranger = await signedIn(server, 'lakeside/physician.haddad')
    const answers = []
    for (const id of [sessionOf(colleague), sessionOf(stranger), 'x'.repeat(32)]) {
      answers.push(await person.call('DELETE', `/me/sessions/${id}`))
    }
    expect(answers.map(({ status }) => status)).toEqual([404, 404, 404])
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    expect([await statusOf(colleague), await statusOf(stranger)]).toEqual([200, 200])
    const subject = sessionOf(colleague)
    expect(await auditOf(server, 'riverside', { action: 'account.end-session', subject })).toMatchObject([
      { outcome: 'refused', reason: 'not-own', actor: person.user.id },
    ])
  })

  test.each(['short', '..%2f..%2f', `${'x'.repeat(200)}`])('an id that is none (%s): refused', async (id) => {
    const url = `${server.url}/api/v1/me/sessions/${id}`
    const twisted = { claims: { htu: new URL(url).href } }
    expect([400, 404]).toContain((await person.call('DELETE', `/me/sessions/${id}`, { twisted })).status)
  })
})

describe('R-19: what ends while somebody is at it', () => {
  test('a user who is disabled in the middle of a hail of calls and sign-ins gets nothing more (Zulip CVE-2022-24751)', async () => {
    const vega = await signedIn(server, 'riverside/pharmacist.vega')
    const hail = Array.from({ length: 30 }, async (_, index) => {
      const at = index % 2 === 0 ? server : other
      const again = new Person(at)
      await again.signIn('riverside', 'pharmacist.vega')
      return again
    })
    await server.database.query(
      `WITH disabled AS (UPDATE users SET disabled_at = now(), version = version + 1 WHERE id = $1 RETURNING id)
       UPDATE sessions SET ended_at = now(), end_reason = 'user-disabled' FROM disabled WHERE user_id = disabled.id AND ended_at IS NULL`,
      [vega.user.id],
    )
    const people = [...(await Promise.all(hail)), vega]
    clock.advance(1_001)
    for (const each of people) expect((await each.call('GET', '/me')).status).toBe(401)
    // 429 where so many of the hail were refused that the next has to wait, as after wrong passwords.
    expect([401, 429]).toContain((await new Person(server).signIn('riverside', 'pharmacist.vega')).status)
  })
})

/** Ends every connection to the server's database and lets nobody in any more. */
async function cutOff({ database }: TestServer): Promise<void> {
  const neighbour = new URL(database.ownerUrl)
  neighbour.pathname = '/postgres'
  await asOwner(neighbour.href, async (client) => {
    await client.query(`ALTER DATABASE ${database.name} WITH ALLOW_CONNECTIONS false`)
    await client.query('SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1', [database.name])
  })
}

describe('when the database is away', () => {
  test('nothing is let through, and it is said to be our fault', async () => {
    const lost = await startTestServer({ clock })
    const lind = await signedIn(lost, 'riverside/nurse.lind')
    await cutOff(lost)
    clock.advance(1_001)
    const answer = await lind.call('GET', '/me')
    expect(answer.body).toMatchObject({ status: 503, code: 'unavailable', retry: 'later' })
    expect((await new Person(lost).signIn('riverside', 'nurse.lind')).status).toBe(503)
    expect((await call(lost, { path: '/readyz' })).status).toBe(503)
    expect((await call(lost, { path: '/healthz' })).status).toBe(200)
    await lost.stop()
  })
})
