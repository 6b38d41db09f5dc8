import { refreshAnswer } from '@wardline/protocol'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { manualClock } from '../../apps/server/src/clock.ts'
import { auditOf } from '../_util/audit.ts'
import { asOwner } from '../_util/database.ts'
import { DeviceKey } from '../_util/device-key.ts'
import { claimsOf, type Person, refreshCookieOf, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'

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
const isLive = async (who: Person) => (await who.call('GET', '/me')).status === 200

describe('R-14: refresh', () => {
  test('gives another token of the same session and another cookie; both tokens are good until they expire', async () => {
    const { token, cookie } = person
    clock.advance(240_000)
    const answer = await person.refresh()
    expect(answer.status).toBe(200)
    expect(refreshAnswer.parse(answer.body)).toMatchObject({ expiresIn: 300, user: { username: 'nurse.lind' } })
    expect(person.token).not.toBe(token)
    expect(person.cookie).not.toBe(cookie)
    const [before, after] = [claimsOf(token), claimsOf(person.token)]
    expect(after).toMatchObject({
      sid: before['sid'],
      sub: before['sub'],
      auth_time: before['auth_time'],
      cnf: before['cnf'],
    })
    expect(after['jti']).not.toBe(before['jti'])
    expect(await isLive(person)).toBe(true)
    clock.advance(70_000)
    expect((await person.call('GET', '/me', { headers: { authorization: `DPoP ${token}` } })).status, 'expired').toBe(
      401,
    )
    expect(await isLive(person)).toBe(true)
    expect(await auditOf(server, 'riverside', { action: 'auth.refresh', session: sessionOf(person) })).toMatchObject([
      { outcome: 'allowed', actor: person.user.id, device: person.key.jkt },
    ])
  })

  test('works on another node, and with a cookie that the other node gave', async () => {
    expect((await person.refresh({ at: other })).status).toBe(200)
    clock.advance(2_000)
    expect((await person.refresh()).status).toBe(200)
    expect((await person.call('GET', '/me', { at: other })).status).toBe(200)
  })

  test('the database knows the cookie’s digest and not the cookie', async () => {
    const [, secret = ''] = person.cookie.split('.')
    const rows = await server.database.query<{ digest: Buffer }>('SELECT * FROM refresh_tokens')
    const dump = JSON.stringify(
      rows.map((row) => Object.values(row).map((value) => (Buffer.isBuffer(value) ? value.toString('latin1') : value))),
    )
    expect(rows.length).toBeGreaterThan(0)
    expect(dump).not.toContain(secret)
    expect(dump).not.toContain(Buffer.from(secret, 'base64url').toString('latin1'))
  })

  test('of fifty at once with one cookie, on two nodes, one succeeds; the session lives on', async () => {
    const { cookie } = person
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => person.refresh({ cookie, at: index % 2 === 0 ? server : other })),
    )
    const byStatus = Map.groupBy(answers, ({ status }) => status)
    expect(byStatus.get(200)).toHaveLength(1)
    // A machine with too much to do lets some of them go before it has asked its database: 503, nothing changed.
    const losers = answers.filter(({ status }) => status !== 200)
    for (const { status } of losers) expect([429, 503]).toContain(status)
    for (const { body } of byStatus.get(429) ?? []) {
      expect(body).toMatchObject({ code: 'rate-limited', retry: 'later', retryAfterMs: 1_000 })
    }
    const [won] = byStatus.get(200) ?? []
    clock.advance(15_000)
    expect((await person.refresh({ cookie: won === undefined ? '' : (refreshCookieOf(won) ?? '') })).status).toBe(200)
    expect(await isLive(person)).toBe(true)
  })

  test('one that a busy server kept waiting is still of the race that it came with', async () => {
    const { cookie } = person
    expect((await person.refresh()).status).toBe(200)
    // It has come, and waits before anything is decided.
    const { late } = await asOwner(server.database.ownerUrl, async (client) => {
      await client.query('BEGIN; LOCK TABLE used_proofs IN ACCESS EXCLUSIVE MODE')
      const coming = person.refresh({ cookie })
      const waiting = `SELECT 1 FROM pg_locks WHERE relation = 'used_proofs'::regclass AND NOT granted`
      await expect.poll(async () => (await client.query(waiting)).rowCount).toBeGreaterThan(0)
      clock.advance(12_000)
      await client.query('COMMIT')
      return { late: coming }
    })
    expect((await late).body).toMatchObject({ code: 'rate-limited' })
    expect(await isLive(person)).toBe(true)
  })

  test('one that the network held up is of the race that its proof was made in', async () => {
    const { cookie } = person
    const made = { twisted: { claims: { iat: Math.floor(clock.now() / 1_000) } } }
    expect((await person.refresh()).status).toBe(200)
    clock.advance(4_000)
    expect((await person.refresh({ cookie, ...made })).body).toMatchObject({ code: 'rate-limited' })
    // The answer was lost, and the client asks again: of fifty that do so at once, one gets another.
    const answers = await Promise.all(Array.from({ length: 50 }, () => person.refresh({ cookie })))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(await isLive(person)).toBe(true)
  })

  test('a client whose answer was lost gets another within seconds, with the same device', async () => {
    const { cookie } = person
    await person.refresh({ at: other })
    const lost = person.cookie
    clock.advance(3_000)
    expect((await person.refresh({ cookie })).status).toBe(200)
    expect(person.cookie).not.toBe(lost)
    clock.advance(300)
    expect((await person.refresh()).status, 'and goes on from there').toBe(200)
    expect(await isLive(person)).toBe(true)
    clock.advance(15_000)
    expect((await person.refresh({ cookie: lost })).status, 'what was lost is spent').toBe(401)
    expect(await isLive(person)).toBe(false)
  })

  test('a client whose answers are lost again and again is still let in', async () => {
    const { cookie } = person
    for (let attempt = 0; attempt < 3; attempt += 1) {
      expect((await person.refresh({ cookie })).status).toBe(200)
      clock.advance(2_000)
    }
    expect(await isLive(person)).toBe(true)
  })

  test('one whose successor was used is a latecomer of the same race, and is told to come again', async () => {
    const { cookie } = person
    await person.refresh()
    await person.refresh()
    clock.advance(2_000)
    expect((await person.refresh({ cookie })).body).toMatchObject({ code: 'rate-limited' })
    expect(await isLive(person)).toBe(true)
  })

  test('a spent cookie ends the session, its tokens and its family, on every node, and is audited', async () => {
    const { cookie } = person
    await person.refresh()
    clock.advance(10_001)
    const answer = await person.refresh({ cookie, at: other })
    expect(answer.body).toMatchObject({ status: 401, code: 'unauthenticated' })
    expect([answer.headers['set-cookie']].flat()[0]).toMatch(/^__Host-wardline-refresh=;.*Expires=Thu, 01 Jan 1970/)
    expect(await isLive(person)).toBe(false)
    expect((await person.call('GET', '/me', { at: other })).status).toBe(401)
    expect((await person.refresh()).status, 'the newest cookie of the family').toBe(401)
    const events = await auditOf(server, 'riverside', { session: sessionOf(person), reason: 'refresh-reuse' })
    expect(events.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
      'auth.refresh refused',
      'session.end allowed',
    ])
    const [row] = await server.database.query('SELECT end_reason FROM sessions WHERE id = $1', [sessionOf(person)])
    expect(row).toEqual({ end_reason: 'refresh-reuse' })
  })

  test('a spent cookie from another device ends it at once, without grace', async () => {
    const { cookie, csrf } = person
    await person.refresh()
    clock.advance(2_000)
    const thief = await signedIn(server, 'riverside/physician.okafor')
    thief.csrf = csrf
    expect((await thief.refresh({ cookie })).status).toBe(401)
    expect(await isLive(person)).toBe(false)
    expect(await isLive(thief)).toBe(true)
  })

  test('R-14: a restart does not revive a spent cookie (Keycloak CVE-2026-1035)', async () => {
    const restarted = await startTestServer({ beside: server, clock })
    const { cookie } = person
    await person.refresh({ at: restarted })
    await restarted.stop()
    clock.advance(15_000)
    const again = await startTestServer({ beside: server, clock })
    expect((await person.refresh({ cookie, at: again })).status).toBe(401)
    expect((await person.refresh({ at: again })).status).toBe(401)
    await again.stop()
  })
})

describe('R-16: the device', () => {
  test('another device’s proof with the living cookie is refused and audited; the session lives', async () => {
    const { key, cookie } = person
    const thief = new DeviceKey()
    const headers = { dpop: thief.proof({ method: 'POST', url: `${server.url}/api/v1/auth/refresh`, at: clock.now() }) }
    expect((await person.refresh({ cookie, headers })).status).toBe(401)
    expect(await auditOf(server, 'riverside', { action: 'auth.refresh', device: thief.jkt })).toMatchObject([
      { outcome: 'refused', reason: 'device-mismatch', session: sessionOf(person) },
    ])
    expect(key.jkt).not.toBe(thief.jkt)
    expect((await person.refresh()).status).toBe(200)
  })

  test('no proof, an old one, one that came before: refused', async () => {
    expect((await person.refresh({ headers: { dpop: undefined } })).status).toBe(401)
    expect((await person.refresh({ twisted: { claims: { iat: clock.now() / 1000 - 61 } } })).status).toBe(401)
    const twisted = { claims: { jti: `replayed-${'r'.repeat(24)}` } }
    expect((await person.refresh({ twisted })).status).toBe(200)
    expect((await person.refresh({ twisted })).status).toBe(401)
    expect((await person.refresh({ twisted, at: other })).status, 'on another node').toBe(401)
  })

  test('a client whose clock is wrong keeps its cookie, and learns the time from the refusal', async () => {
    const early = await person.refresh({ twisted: { claims: { iat: clock.now() / 1000 - 3_600 } } })
    expect(early.status).toBe(401)
    expect(early.headers['set-cookie']).toBeUndefined()
    expect(Date.parse(String(early.headers['date']))).toBeGreaterThan(0)
    expect((await person.refresh()).status).toBe(200)
  })

  test('a device that was revoked gets nothing more', async () => {
    await server.database.query('UPDATE devices SET revoked_at = now() WHERE jkt = $1', [person.key.jkt])
    expect((await person.refresh()).status).toBe(401)
  })
})

describe('R-15: CSRF', () => {
  test.each([
    ['none', undefined],
    ['an empty one', ''],
    ['garbage', 'x'.repeat(43)],
  ])('%s: refused, nothing spent', async (_name, csrf) => {
    const answer = await person.refresh({ headers: { 'x-csrf-token': csrf } })
    expect(answer.body).toMatchObject({ status: 403, code: 'forbidden' })
    expect((await person.refresh()).status).toBe(200)
  })

  test('that of another session: refused', async () => {
    const neighbour = await signedIn(server, 'riverside/nurse.lind')
    expect((await person.refresh({ headers: { 'x-csrf-token': neighbour.csrf } })).status).toBe(403)
  })

  test('R-02: from another site’s page: refused', async () => {
    expect((await person.refresh({ headers: { origin: 'https://evil.test' } })).status).toBe(403)
    expect((await person.refresh()).status).toBe(200)
  })

  test('any call that may change something and bears the cookie needs it, whatever else it shows', async () => {
    const cookie = `__Host-wardline-refresh=${person.cookie}`
    const target = await signedIn(server, 'riverside/nurse.lind')
    const path = `/me/sessions/${sessionOf(target)}`
    expect((await person.call('DELETE', path, { headers: { cookie } })).status).toBe(403)
    expect((await person.call('GET', '/me', { headers: { cookie } })).status).toBe(200)
    expect((await person.call('DELETE', path, { headers: { cookie, 'x-csrf-token': person.csrf } })).status).toBe(204)
  })
})

describe('what else is no cookie', () => {
  test.each([
    ['none', ''],
    ['garbage', 'garbage'],
    ['one that was never given', `${'0'.repeat(8)}-0000-0000-0000-${'0'.repeat(12)}.${'x'.repeat(43)}`],
    ['SQL', `' OR 1=1 --.${'x'.repeat(43)}`],
    ['a huge one', 'x'.repeat(8_000)],
  ])('%s: 401', async (_name, cookie) => {
    expect((await person.refresh({ cookie })).status).toBe(401)
  })

  test('R-37: one of ours with another organisation’s name: 401', async () => {
    const moved = person.cookie.replace(/^[^.]+/, server.tenants.get('lakeside') ?? '')
    expect((await person.refresh({ cookie: moved })).status).toBe(401)
    expect((await person.refresh()).status).toBe(200)
  })
})

describe('R-21: the absolute end', () => {
  test('a session ends at its hour whatever its user does, and its last tokens with it', async () => {
    const begun = clock.now()
    const endsAt = begun + 12 * 3_600_000
    while (clock.now() + 200_000 < endsAt) {
      clock.advance(Math.min(3_600_000, endsAt - clock.now() - 100_000))
      expect((await person.refresh()).status).toBe(200)
    }
    expect(claimsOf(person.token)['exp']).toBe(Math.floor(endsAt / 1000))
    clock.advance(endsAt - clock.now() - 1)
    expect(await isLive(person)).toBe(true)
    clock.advance(1)
    expect(await isLive(person)).toBe(false)
    expect((await person.refresh()).status).toBe(401)
  })
})

describe('R-18, R-19: what changes meanwhile', () => {
  test('a user who was disabled gets nothing more, nor does an organisation', async () => {
    const chen = await signedIn(server, 'riverside/auditor.chen')
    await server.database.query('UPDATE users SET disabled_at = now(), version = version + 1 WHERE id = $1', [
      chen.user.id,
    ])
    expect((await chen.refresh()).status).toBe(401)
    const haddad = await signedIn(server, 'lakeside/physician.haddad')
    await server.database.query(`UPDATE tenants SET disabled_at = now(), version = version + 1 WHERE slug = 'lakeside'`)
    expect((await haddad.refresh()).status).toBe(401)
  })

  test('a role that was taken away is gone from the next token', async () => {
    const vega = await signedIn(server, 'riverside/pharmacist.vega')
    expect(claimsOf(vega.token)).toMatchObject({ roles: ['pharmacist'], scope: 'account clinical' })
    await server.database.query('DELETE FROM user_roles WHERE user_id = $1', [vega.user.id])
    await vega.refresh()
    expect(claimsOf(vega.token)).toMatchObject({ roles: [], scope: 'account' })
  })
})
