import { createPublicKey, generateKeyPairSync, hash, type KeyObject, randomBytes, randomUUID, sign } from 'node:crypto'
import { createWardline, signInAsService } from '@wardline/client/node'
import { JWT_BEARER, type ServiceAccount, serviceAccount, serviceToken } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { auditOf } from '../_util/audit.ts'
import { asOwner } from '../_util/database.ts'
import { lockAwaited } from '../_util/lock-awaited.ts'
import { addPatient } from '../_util/patients.ts'
import { claimsOf, Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket } from '../_util/socket.ts'

let server: TestServer
let other: TestServer
let admin: Person
let patient: { id: string; channel: string }
let account: ServiceAccount
let program: Program

beforeAll(async () => {
  server = await startTestServer()
  other = await startTestServer({ beside: server })
  admin = await signedIn(server, 'riverside/admin.reyes')
  patient = await addPatient(server, 'riverside', { family: 'Ash', given: 'Ida', mrn: 'M 1' }, 'nurse.lind')
  const second = await addPatient(server, 'riverside', { family: 'Birch', given: 'Otto', mrn: 'M 2' }, 'nurse.lind')
  const key = newKey()
  const scope = `patient:read:${patient.id} channel:post:${patient.channel}`
  const made = await admin.call('POST', '/admin/services', {
    body: { username: 'lab-feed', displayName: 'Laboratory', roles: ['nurse'], scope, key: publicOf(key) },
  })
  account = serviceAccount.parse(made.body)
  for (const each of [patient.id, second.id]) {
    const body = { patient: each, user: account.id, role: 'nurse' }
    await admin.call('POST', '/admin/care-team', { body })
  }
  program = new Program(account.clientId, key)
})
afterAll(async () => {
  await other.stop()
  await server.stop()
})

function newKey(): KeyObject {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
}

function publicOf(key: KeyObject) {
  const { kty, crv, x, y } = createPublicKey(key).export({ format: 'jwk' })
  return { kty, crv, x, y }
}

/** RFC 7638. */
function kidOf(key: KeyObject): string {
  const { crv, kty, x, y } = publicOf(key)
  return hash('sha256', JSON.stringify({ crv, kty, x, y }), 'base64url')
}

/** A program: its own key says who it is, another is bound to its tokens. */
class Program {
  readonly clientId: string
  readonly key: KeyObject
  readonly person: Person
  constructor(clientId: string, key: KeyObject, at: TestServer = server) {
    this.clientId = clientId
    this.key = key
    this.person = new Person(at)
  }

  assertion(twist: object = {}, header: object = {}, key = this.key): string {
    const kid = kidOf(this.key)
    const iat = Math.floor(Date.now() / 1000)
    const aud = `${this.person.server.url}/api/v1/oauth/token`
    const jti = randomBytes(16).toString('base64url')
    const claims = { iss: this.clientId, sub: this.clientId, aud, iat, exp: iat + 60, jti, ...twist }
    const input = [{ alg: 'ES256', kid, typ: 'JWT', ...header }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.')
    return `${input}.${sign('sha256', Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' }).toString('base64url')}`
  }

  /** Asks for a token and keeps it. `form`: in place of what belongs into it. */
  async ask(form: Record<string, string | undefined> = {}, headers: Record<string, string | undefined> = {}) {
    const fields = {
      grant_type: 'client_credentials',
      client_assertion_type: JWT_BEARER,
      client_assertion: this.assertion(),
      ...form,
    }
    const body = new URLSearchParams(
      Object.entries(fields).filter((each): each is [string, string] => each[1] !== undefined),
    ).toString()
    const answer = await this.person.bare('POST', '/oauth/token', {
      body,
      headers: { 'content-type': 'application/x-www-form-urlencoded', ...headers },
    })
    const given = serviceToken.safeParse(answer.body)
    if (given.success) this.person.token = given.data.access_token
    return answer
  }
}

describe('R-23: a service account', () => {
  test('gets a short token by its signed assertion, bound to its proof’s key, and no refresh token', async () => {
    const answer = await program.ask()
    expect(answer.status).toBe(200)
    const given = serviceToken.parse(answer.body)
    expect(given).toMatchObject({ token_type: 'DPoP', expires_in: 300, scope: account.scope })
    expect(answer.headers['set-cookie']).toBeUndefined()
    expect(answer.headers['cache-control']).toBe('no-store')
    expect(claimsOf(given.access_token)).toMatchObject({
      sub: account.id,
      client_id: account.clientId,
      cnf: { jkt: program.person.key.jkt },
      scope: account.scope,
      acr: 'aal1',
      amr: ['swk'],
    })
    const events = await auditOf(server, 'riverside', { action: 'auth.service', actor: account.id })
    expect(events).toMatchObject([{ outcome: 'allowed', device: program.person.key.jkt, address: '127.0.0.1' }])
  })

  test('reads and writes what its scopes name, and nothing else that its role and care team would allow', async () => {
    await program.ask()
    const { person } = program
    expect((await person.call('GET', `/patients/${patient.id}`)).status).toBe(200)
    const seen = (await person.call('GET', '/patients')).body as { items: { id: string }[] }
    expect(seen.items.map(({ id }) => id)).toEqual([patient.id])
    for (const path of ['/me', '/directory', '/admin/users', '/admin/audit/events']) {
      expect((await person.call('GET', path)).status, path).toBe(403)
    }
    const socket = await openSocket(person, other)
    expect(await socket.ask({ type: 'channel.subscribe', channel: patient.channel })).toMatchObject({
      type: 'channel.subscribed',
    })
    const post = { type: 'message.post', channel: patient.channel, clientId: randomUUID(), body: 'K 6.1' } as const
    expect(await socket.ask(post)).toMatchObject({ type: 'message.accepted' })
    socket.cut()
  })

  test('the next assertion prolongs its session, so that its open socket is renewed', async () => {
    await program.ask()
    const before = claimsOf(program.person.token)['sid']
    const socket = await openSocket(program.person)
    await program.ask()
    expect(claimsOf(program.person.token)['sid']).toBe(before)
    expect((await socket.ask({ type: 'session.ping' })).type).toBe('done')
    socket.cut()
  })

  test('where its session is locked (R-18: its roles have changed, say), the next assertion begins another', async () => {
    await program.ask()
    const locked = claimsOf(program.person.token)['sid']
    const lock = `UPDATE sessions SET locked_at = now(), lock_reason = 'role-change' WHERE id = $1`
    await server.database.query(lock, [locked])
    expect((await program.ask()).status).toBe(200)
    expect(claimsOf(program.person.token)['sid']).not.toBe(locked)
    expect((await program.person.call('GET', `/patients/${patient.id}`)).status).toBe(200)
  })

  test('may ask for less than it may have, and not for more', async () => {
    const scope = `patient:read:${patient.id}`
    expect(serviceToken.parse((await program.ask({ scope })).body).scope).toBe(scope)
    for (const more of ['clinical', `${scope} directory:read`, 'patient:read:*', `channel:post:${randomUUID()}`]) {
      const answer = await program.ask({ scope: more })
      expect([answer.status, (answer.body as { error: string }).error]).toEqual([400, 'invalid_scope'])
    }
  })

  test('an assertion is good once, on all nodes', async () => {
    const assertion = program.assertion()
    expect((await program.ask({ client_assertion: assertion })).status).toBe(200)
    const elsewhere = new Program(account.clientId, program.key, other)
    expect((await elsewhere.ask({ client_assertion: assertion })).status, 'its audience is the other node').toBe(401)
    expect((await program.ask({ client_assertion: assertion })).status).toBe(401)
    const refused = await auditOf(server, 'riverside', { action: 'auth.service', reason: 'proof-replay' })
    expect(refused).toMatchObject([{ actor: account.id, outcome: 'refused' }])
  })

  test.each<[string, (of: Program) => Record<string, string | undefined>]>([
    ['another audience', (of) => ({ client_assertion: of.assertion({ aud: 'https://evil.test/oauth/token' }) })],
    [
      'several audiences, this one among them',
      (of) => ({
        client_assertion: of.assertion({ aud: [`${server.url}/api/v1/oauth/token`, 'https://evil.test'] }),
      }),
    ],
    [
      'an audience of another path',
      (of) => ({ client_assertion: of.assertion({ aud: `${server.url}/api/v1/oauth/revoke` }) }),
    ],
    ['no expiry', (of) => ({ client_assertion: of.assertion({ exp: undefined }) })],
    ['expired', (of) => ({ client_assertion: of.assertion({ exp: Math.floor(Date.now() / 1000) - 10 }) })],
    ['good for a day', (of) => ({ client_assertion: of.assertion({ exp: Math.floor(Date.now() / 1000) + 86_400 }) })],
    ['not yet', (of) => ({ client_assertion: of.assertion({ nbf: Math.floor(Date.now() / 1000) + 60 }) })],
    ['no jti', (of) => ({ client_assertion: of.assertion({ jti: undefined }) })],
    ['another issuer', (of) => ({ client_assertion: of.assertion({ iss: 'riverside/other' }) })],
    [
      'somebody else’s name',
      (of) => ({
        client_assertion: of.assertion({ iss: 'riverside/nurse.lind', sub: 'riverside/nurse.lind' }),
      }),
    ],
    [
      'no such organisation',
      (of) => ({ client_assertion: of.assertion({ iss: 'nowhere/lab-feed', sub: 'nowhere/lab-feed' }) }),
    ],
    ['another key', (of) => ({ client_assertion: of.assertion({}, {}, newKey()) })],
    ['another key, brought along', (of) => ({ client_assertion: of.assertion({}, { jwk: publicOf(newKey()) }) })],
    ['where to find a key', (of) => ({ client_assertion: of.assertion({}, { jku: 'https://evil.test/keys' }) })],
    ['no kid', (of) => ({ client_assertion: of.assertion({}, { kid: undefined }) })],
    ['alg none', (of) => ({ client_assertion: of.assertion({}, { alg: 'none' }) })],
    ['the typ of an access token', (of) => ({ client_assertion: of.assertion({}, { typ: 'at+jwt' }) })],
    ['an access token', (of) => ({ client_assertion: of.person.token })],
    ['nonsense', () => ({ client_assertion: 'x' })],
  ])('%s: 401, the same answer for all', async (_name, form) => {
    const nobody = await program.ask({ client_assertion: 'a.b.c' })
    const answer = await program.ask(form(program))
    expect([answer.status, answer.text]).toEqual([401, nobody.text])
    expect(nobody.body).toMatchObject({ code: 'unauthenticated', error: 'invalid_client' })
  })

  test('another way to ask, and no proof: refused', async () => {
    expect((await program.ask({ grant_type: 'password' })).body).toMatchObject({ error: 'invalid_request' })
    expect((await program.ask({ client_assertion_type: undefined })).status).toBe(400)
    expect((await program.ask({}, { dpop: undefined })).status).toBe(401)
    expect((await program.ask({}, { 'content-type': 'application/json' })).status).toBe(400)
  })

  test('a person’s ways in are closed to it, whatever is tried', async () => {
    expect((await new Person(server).signIn('riverside', 'lab-feed')).status).toBe(401)
  })
})

describe('R-23: administration of service accounts', () => {
  test.each([
    ['a family', { scope: 'clinical' }, '/scope'],
    ['a wildcard', { scope: 'patient:read:*' }, '/scope'],
    ['a role that is not there', { roles: ['nobody'] }, '/roles'],
    ['a point off the curve', { key: { kty: 'EC', crv: 'P-256', x: 'A'.repeat(43), y: 'A'.repeat(43) } }, '/key'],
  ])('%s: invalid', async (_name, changes, field) => {
    const key = publicOf(newKey())
    const body = { username: randomUUID(), displayName: 'X', roles: [], scope: 'directory:read', key, ...changes }
    expect((await admin.call('POST', '/admin/services', { body })).body).toMatchObject({
      code: 'invalid',
      fields: [field],
    })
  })

  test('a private key is refused, and stands nowhere', async () => {
    const key = newKey()
    const { d = '' } = key.export({ format: 'jwk' })
    const body = {
      username: 'x',
      displayName: 'X',
      roles: [],
      scope: 'directory:read',
      key: { ...publicOf(key), d },
    }
    expect((await admin.call('POST', '/admin/services', { body })).status).toBe(400)
    expect(server.logged.join('')).not.toContain(d)
  })

  test('by who may not: refused; by who may read: shown', async () => {
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    expect((await nurse.call('GET', '/admin/services')).status).toBe(403)
    const listed = (await admin.call('GET', '/admin/services')).body as { items: ServiceAccount[] }
    expect(listed.items).toMatchObject([{ clientId: 'riverside/lab-feed', keys: [{ kid: expect.any(String) }] }])
  })

  test('keys follow each other; one that is taken away opens nothing, and what it had opened is closed', async () => {
    const next = newKey()
    const path = `/admin/services/${account.id}`
    const added = await admin.call('PATCH', path, { body: { addKey: publicOf(next) } })
    expect(serviceAccount.parse(added.body).keys).toHaveLength(2)
    await program.ask()
    const socket = await openSocket(program.person, other)
    const [old = { kid: '' }] = account.keys
    const left = await admin.call('PATCH', path, { body: { removeKey: old.kid, scope: `patient:read:${patient.id}` } })
    expect(left.status).toBe(200)
    expect(await socket.closing()).toEqual({ code: 4403, reason: 'revoked' })
    expect((await program.person.call('GET', `/patients/${patient.id}`)).status).toBe(401)
    expect((await program.ask()).status).toBe(401)
    program = new Program(account.clientId, next)
    expect(serviceToken.parse((await program.ask()).body).scope).toBe(`patient:read:${patient.id}`)
    expect((await admin.call('PATCH', path, { body: { removeKey: old.kid } })).body).toMatchObject({
      fields: ['/removeKey'],
    })
  })

  test.each([
    ['its key is taken away', 'UPDATE service_keys SET removed_at = now() WHERE user_id = $1'],
    ['its scope is narrowed', `UPDATE service_accounts SET scope = 'directory:read' WHERE user_id = $1`],
  ])('gets nothing where %s between the judging of its assertion and its session', async (_what, sql) => {
    const key = newKey()
    const body = {
      username: `late-${randomBytes(4).toString('hex')}`,
      displayName: 'Late',
      roles: ['nurse'],
      scope: `patient:read:${patient.id}`,
      key: publicOf(key),
    }
    const { id, clientId } = serviceAccount.parse((await admin.call('POST', '/admin/services', { body })).body)
    await asOwner(server.database.ownerUrl, async (client) => {
      await client.query('BEGIN')
      // As whoever changes the account does, first of all.
      await client.query('UPDATE users SET version = version + 1 WHERE id = $1', [id])
      const asking = new Program(clientId, key).ask()
      await lockAwaited(server.database, 'transactionid')
      await client.query(sql, [id])
      await client.query('COMMIT')
      expect((await asking).status).toBe(401)
    })
    expect(await server.database.query('SELECT id FROM sessions WHERE user_id = $1', [id])).toEqual([])
  })

  test('the SDK signs a program in and renews its token', async () => {
    const key = newKey()
    const body = { addKey: publicOf(key) }
    expect((await admin.call('PATCH', `/admin/services/${account.id}`, { body })).status).toBe(200)
    const wardline = createWardline({ url: server.url, ca: server.ca.toString() })
    const user = await signInAsService(wardline, server.url, { clientId: account.clientId, key })
    expect(user).toMatchObject({ id: account.id, username: 'lab-feed' })
    const { items } = await wardline.api.patients()
    expect(items.map(({ id }) => id)).toEqual([patient.id])
    const first = await wardline.session.accessToken()
    expect(await wardline.session.renewedToken(first)).not.toBe(first)
    await expect.poll(() => wardline.connection.state.is).toBe('live')
    expect(await wardline.signOut()).toEqual({ reached: true })
    wardline.close()
  })

  test('a disabled one gets nothing, at once', async () => {
    await program.ask()
    const socket = await openSocket(program.person, other)
    await admin.call('PATCH', `/admin/users/${account.id}`, { body: { disabled: true } })
    expect(await socket.closing()).toEqual({ code: 4403, reason: 'revoked' })
    expect((await program.ask()).status).toBe(401)
  })
})
