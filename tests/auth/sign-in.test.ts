import { loginAnswer, problem } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { manualClock } from '../../apps/server/src/clock.ts'
import { auditOf } from '../_util/audit.ts'
import { asOwner } from '../_util/database.ts'
import { claimsOf, headerOf, Person, refreshCookieOf, signedIn } from '../_util/person.ts'
import { PASSWORD, startTestServer, type TestServer } from '../_util/server.ts'

let server: TestServer
const clock = manualClock(Date.UTC(2026, 5, 1, 8))

beforeAll(async () => {
  server = await startTestServer({ clock })
})
afterAll(() => server.stop())

/** An authenticator app of user $1, in force; under whichever key: nobody will ask it for a code. */
const ENROL = `INSERT INTO second_factors (tenant_id, id, user_id, kind, data_key_id, sealed_secret, confirmed_at)
  SELECT tenant_id, gen_random_uuid(), $1, 'totp', id, '', now() FROM data_keys
  WHERE tenant_id = (SELECT tenant_id FROM users WHERE id = $1) LIMIT 1`

describe('sign-in', () => {
  test('R-12, R-16: a password and a device key give a token bound to that key, a cookie and a CSRF token', async () => {
    const person = new Person(server)
    const answer = await person.signIn('riverside', 'nurse.lind')
    expect(answer.status).toBe(200)
    const body = loginAnswer.parse(answer.body)
    expect(body).toMatchObject({
      status: 'authenticated',
      expiresIn: 300,
      user: {
        username: 'nurse.lind',
        displayName: 'Astrid Lind',
        tenant: { id: server.tenants.get('riverside'), slug: 'riverside' },
        roles: ['nurse'],
      },
    })
    const name = `urn:wardline:${server.ctx.database.installation.id}`
    expect(headerOf(person.token)).toMatchObject({ typ: 'at+jwt', alg: 'ES256' })
    expect(claimsOf(person.token)).toMatchObject({
      iss: name,
      aud: name,
      sub: server.users.get('riverside/nurse.lind'),
      client_id: 'wardline',
      tenant: server.tenants.get('riverside'),
      roles: ['nurse'],
      scope: 'account clinical',
      cnf: { jkt: person.key.jkt },
      auth_time: clock.now() / 1000,
      acr: 'aal1',
      amr: ['pwd'],
    })
    const [cookie = ''] = [answer.headers['set-cookie'] ?? []].flat()
    expect(cookie).toMatch(/^__Host-wardline-refresh=[0-9a-f-]{36}\.[A-Za-z0-9_-]{43}; /)
    for (const attribute of ['Path=/', 'HttpOnly', 'Secure', 'SameSite=Strict', 'Max-Age=43200']) {
      expect(cookie).toContain(attribute)
    }
    expect(cookie).not.toContain('Domain')
    expect(answer.headers['cache-control']).toBe('no-store')
  })

  test('the token and a proof open what the person may see', async () => {
    const person = await signedIn(server, 'riverside/nurse.lind')
    const me = await person.call('GET', '/me')
    expect(me.status).toBe(200)
    expect(me.body).toEqual(person.user)
  })

  test('ASVS 7.2.4: who signs in at a browser takes the place of whoever was signed in there, and of nobody else', async () => {
    const before = await signedIn(server, 'riverside/nurse.lind')
    const elsewhere = await signedIn(server, 'riverside/nurse.lind')
    const next = new Person(server, before.key)
    const cookie = (of: Person) => ({ cookie: `__Host-wardline-refresh=${of.cookie}` })
    await next.signIn('riverside', 'physician.okafor', { password: 'wrong', headers: cookie(before) })
    expect((await before.call('GET', '/me')).status, 'not yet').toBe(200)
    await next.signIn('riverside', 'physician.okafor', { headers: cookie(before) })
    expect((await next.call('GET', '/me')).status).toBe(200)
    expect((await before.call('GET', '/me')).status).toBe(401)
    const thief = new Person(server)
    await thief.signIn('riverside', 'physician.okafor', { headers: cookie(elsewhere) })
    expect((await elsewhere.call('GET', '/me')).status, 'the cookie alone, from another device, ends nothing').toBe(200)
    const session = String(claimsOf(before.token)['sid'])
    expect(await auditOf(server, 'riverside', { action: 'session.end', session })).toMatchObject([
      { reason: 'replaced' },
    ])
  })

  test('R-70: it is audited with who, which session, which device and from where', async () => {
    const person = await signedIn(server, 'lakeside/physician.haddad')
    const { sid } = claimsOf(person.token)
    const [event] = await auditOf(server, 'lakeside', { action: 'auth.login', session: String(sid) })
    expect(event).toMatchObject({
      outcome: 'allowed',
      actor: person.user.id,
      device: person.key.jkt,
      address: '127.0.0.1',
      origin: server.url,
    })
    expect(await auditOf(server, 'lakeside', { action: 'device.register', device: person.key.jkt })).toHaveLength(1)
  })

  test.each([
    ['a wrong password', 'riverside', 'nurse.lind', 'password'],
    ['no such user', 'riverside', 'nurse.nobody', 'unknown-user'],
    ['no such organisation', 'nowhere', 'nurse.lind', 'unknown-tenant'],
    ['a user of another organisation', 'lakeside', 'nurse.lind', 'unknown-user'],
  ])('R-10: %s: one answer, and the audit knows which', async (_name, tenant, username, reason) => {
    const person = new Person(server)
    const answer = await person.signIn(tenant, username, { password: reason === 'password' ? 'wrong' : PASSWORD })
    expect(answer.status).toBe(401)
    expect(answer.body).toEqual({
      type: 'urn:wardline:error:unauthenticated',
      title: 'Sign in to do this.',
      status: 401,
      code: 'unauthenticated',
      retry: 'after-renewal',
    })
    expect(answer.headers['set-cookie']).toBeUndefined()
    const of = reason === 'unknown-tenant' ? null : tenant
    const events = await auditOf(server, of, { action: 'auth.login', device: person.key.jkt })
    expect(events).toMatchObject([{ outcome: 'refused', reason }])
  })

  test('R-10: a disabled user and a service account: the same answer', async () => {
    const tenant = server.tenants.get('riverside')
    await server.database.query(
      `UPDATE users SET disabled_at = now() WHERE username = 'clerk.moss' AND tenant_id = $1`,
      [tenant],
    )
    await server.database.query(
      `UPDATE users SET kind = 'service' WHERE username = 'pharmacist.vega' AND tenant_id = $1`,
      [tenant],
    )
    const bodies = []
    for (const username of ['clerk.moss', 'pharmacist.vega', 'nobody']) {
      const answer = await new Person(server).signIn('riverside', username)
      expect(answer.status).toBe(401)
      bodies.push(answer.text)
    }
    expect(new Set(bodies).size).toBe(1)
  })

  test.each([
    ['is disabled', 'SET disabled_at = now()'],
    ['gets another password', `SET password_hash = password_hash || 'x'`],
    ['puts a second factor in force', 'SET title = title'],
  ])(
    'R-19: who %s between the check of the password and the session is not let in (Zulip CVE-2022-24751)',
    async (name, change) => {
      const user = server.users.get('lakeside/physician.haddad')
      const { ownerUrl } = server.database
      const waiting = `SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
      clock.advance(1)
      const begunAt = clock.now() - 1
      const undo = await server.database.query<{ password_hash: string }>(
        'SELECT password_hash FROM users WHERE id = $1',
        [user],
      )
      await asOwner(ownerUrl, async (client) => {
        await client.query('BEGIN')
        await client.query(`UPDATE users ${change}, version = version + 1 WHERE id = $1`, [user])
        if (name.includes('factor')) await client.query(ENROL, [user])
        const answer = new Person(server).signIn('lakeside', 'physician.haddad')
        await expect.poll(() => server.database.query(waiting), { timeout: 20_000 }).toHaveLength(1)
        await client.query('COMMIT')
        expect((await answer).status).toBe(401)
      })
      expect(
        await server.database.query('SELECT 1 FROM sessions WHERE user_id = $1 AND created_at > $2', [
          user,
          new Date(begunAt),
        ]),
      ).toEqual([])
      await server.database.query('UPDATE second_factors SET removed_at = now() WHERE user_id = $1', [user])
      await server.database.query('UPDATE users SET disabled_at = NULL, password_hash = $2 WHERE id = $1', [
        user,
        undo[0]?.password_hash,
      ])
    },
  )

  test('R-10: of all who sign in at once, each gets a session of their own', async () => {
    const people = await Promise.all(Array.from({ length: 20 }, () => signedIn(server, 'riverside/physician.okafor')))
    expect(new Set(people.map(({ token }) => claimsOf(token)['sid'])).size).toBe(20)
    for (const person of people) expect((await person.call('GET', '/me')).status).toBe(200)
  })

  test('R-10: the hash is made anew when the parameters have changed', async () => {
    const hash = async () => {
      const [user] = await server.database.query<{ password_hash: string }>(
        `SELECT password_hash FROM users WHERE username = 'admin.novak'`,
      )
      return user?.password_hash
    }
    await signedIn(server, 'lakeside/admin.novak')
    expect(await hash()).toContain('t=2')
    const stronger = await startTestServer({
      beside: server,
      clock,
      config: { argon2: { memoryKiB: 64, iterations: 3, parallelism: 1, concurrency: 1 } },
    })
    await signedIn(stronger, 'lakeside/admin.novak')
    await stronger.stop()
    expect(await hash()).toContain('t=3')
    await signedIn(server, 'lakeside/admin.novak')
    expect(await hash()).toContain('t=2')
  })

  describe('bad input', () => {
    const body = { tenant: 'riverside', username: 'nurse.lind', password: PASSWORD }

    test.each([
      ['a field more', { ...body, admin: true }, []],
      ['a field less', { tenant: 'riverside', username: 'nurse.lind' }, ['/password']],
      ['a wrong type', { ...body, password: 12345 }, ['/password']],
      ['a name that is none', { ...body, username: '../CANARY' }, ['/username']],
      ['a list', [body], []],
      ['null', 'null', []],
      [
        'a poisoned prototype',
        `{"__proto__":{"admin":true},"tenant":"riverside","username":"nurse.lind","password":"x"}`,
        [],
      ],
    ])('%s: 400, which field, no echo', async (_name, sent, fields) => {
      const headers = { 'content-type': 'application/json' }
      const answer = await new Person(server).bare('POST', '/auth/login', { body: sent, headers })
      const said = problem.parse(answer.body)
      expect(said).toMatchObject({ status: 400, code: 'invalid' })
      expect(said.fields ?? []).toEqual(fields)
      expect(answer.text).not.toContain('CANARY')
    })

    test.each([
      ['no JSON', '{"tenant":', 'application/json'],
      ['nothing', '', 'application/json'],
      ['a form', 'tenant=riverside&username=nurse.lind', 'application/x-www-form-urlencoded'],
      ['plain text that is JSON (ASVS 3.5.1)', JSON.stringify(body), 'text/plain'],
      ['a tab in the content type (CVE-2026-25223)', JSON.stringify({ ...body, admin: true }), 'application/json\ta'],
      ['no content type', JSON.stringify(body), undefined],
    ])('%s: 400', async (_name, sent, contentType) => {
      const answer = await new Person(server).bare('POST', '/auth/login', {
        body: sent,
        headers: { 'content-type': contentType },
      })
      expect(answer.body).toMatchObject({ status: 400, code: 'invalid' })
    })

    test('R-10: a password of 1,024 characters is one; longer is refused, a megabyte before it is read', async () => {
      const withPassword = async (length: number) =>
        (await new Person(server).signIn('riverside', 'nurse.lind', { password: 'x'.repeat(length) })).status
      expect(await withPassword(1_024)).toBe(401)
      expect(await withPassword(1_025)).toBe(400)
      expect(await withPassword(10_000_000)).toBe(413)
    })
  })

  describe('R-16: the proof', () => {
    test.each([
      ['none', () => ({ headers: { dpop: undefined } })],
      ['garbage', () => ({ headers: { dpop: 'garbage' } })],
      ['two', () => ({ headers: { dpop: ['a.b.c', 'a.b.c'] } })],
      ['of another call', () => ({ twisted: { claims: { htu: 'https://evil.test/api/v1/auth/login' } } })],
      ['of another method', () => ({ twisted: { claims: { htm: 'GET' } } })],
      ['too old', () => ({ twisted: { claims: { iat: clock.now() / 1000 - 61 } } })],
      ['of the future', () => ({ twisted: { claims: { iat: clock.now() / 1000 + 16 } } })],
    ])('%s: 401', async (_name, options) => {
      const answer = await new Person(server).signIn('riverside', 'nurse.lind', options())
      expect(answer.body).toMatchObject({ status: 401, code: 'unauthenticated' })
    })

    test('a second time: 401', async () => {
      const twisted = { claims: { jti: 'a'.repeat(32) } }
      const person = new Person(server)
      expect((await person.signIn('riverside', 'nurse.lind', { twisted })).status).toBe(200)
      expect((await person.signIn('riverside', 'nurse.lind', { twisted })).status).toBe(401)
    })

    test('from a device that was revoked: 401', async () => {
      const person = await signedIn(server, 'riverside/auditor.chen')
      await server.database.query('UPDATE devices SET revoked_at = now() WHERE jkt = $1', [person.key.jkt])
      expect((await person.signIn('riverside', 'auditor.chen')).status).toBe(401)
      await signedIn(server, 'riverside/auditor.chen')
    })
  })

  test('R-51: too many from one address wait, and say for how long', async () => {
    const busy = await startTestServer({
      beside: server,
      clock,
      config: { preAuth: { ...server.ctx.config.preAuth, signInsPerMinute: 3 } },
    })
    try {
      const statuses = []
      for (let attempt = 0; attempt < 4; attempt += 1) {
        statuses.push((await new Person(busy).signIn('riverside', 'nurse.lind', { password: 'wrong' })).status)
      }
      expect(statuses).toEqual([401, 401, 401, 429])
      const answer = await new Person(busy).signIn('riverside', 'nurse.lind')
      expect(answer.body).toMatchObject({ code: 'rate-limited', retry: 'later', retryAfterMs: 20_000 })
      expect(answer.headers['retry-after']).toBe('20')
      clock.advance(20_000)
      expect((await new Person(busy).signIn('riverside', 'nurse.lind')).status).toBe(200)
    } finally {
      await busy.stop()
    }
  })

  test('R-65: no password, token, cookie or proof is logged or audited', async () => {
    const person = new Person(server)
    const answer = await person.signIn('riverside', 'physician.okafor')
    await person.signIn('riverside', 'physician.okafor', { password: 'CANARY-password' })
    const rows = await server.database.query<{ event: Buffer }>('SELECT event FROM audit_outbox')
    const kept = [...server.logged, ...rows.map(({ event }) => event.toString())].join('\n')
    for (const secret of [
      PASSWORD,
      'CANARY',
      person.token,
      person.cookie,
      person.csrf,
      refreshCookieOf(answer) ?? '',
    ]) {
      expect(secret).not.toBe('')
      expect(kept).not.toContain(secret)
    }
  })
})
