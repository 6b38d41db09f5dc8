import { device, page } from '@wardline/protocol'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { silentBus } from '../../apps/server/src/bus/bus.ts'
import { auditOf } from '../_util/audit.ts'
import { asOwner } from '../_util/database.ts'
import { DeviceKey } from '../_util/device-key.ts'
import { lockAwaited } from '../_util/lock-awaited.ts'
import { claimsOf, Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket } from '../_util/socket.ts'

/** Two nodes that tell each other nothing: what is revoked on one is found by the other's poll, or not at all. */
let server: TestServer
let other: TestServer
let nurse: Person
let admin: Person

beforeAll(async () => {
  server = await startTestServer({ bus: () => silentBus })
  other = await startTestServer({ beside: server, bus: () => silentBus })
  admin = await signedIn(server, 'riverside/admin.reyes')
})
afterAll(async () => {
  await other.stop()
  await server.stop()
})
beforeEach(async () => {
  nurse = await signedIn(server, 'riverside/nurse.lind')
})

const REVOKED = { code: 4403, reason: 'revoked' }
const statusOf = async (who: Person, at: TestServer) => (await who.call('GET', '/me', { at })).status
const jtiOf = ({ token }: Person) => String(claimsOf(token)['jti'])

/** Nothing but what is allowed after it: the answer of each node to the token. */
async function isOut(who: Person): Promise<void> {
  expect(await statusOf(who, server), 'where it was done, at once').toBe(401)
  await expect.poll(() => statusOf(who, other), { message: 'elsewhere' }).toBe(401)
}

async function devicesOf(who: Person, path: string) {
  return page(device).parse((await who.call('GET', path)).body).items
}

/** A form, as OAuth's endpoints take it. */
function revoke(
  who: Person,
  form: string,
  options: { key?: DeviceKey; headers?: Record<string, string | undefined> } = {},
) {
  const asker = options.key === undefined ? who : new Person(server, options.key)
  const headers = { 'content-type': 'application/x-www-form-urlencoded', ...options.headers }
  return asker.bare('POST', '/oauth/revoke', { body: form, headers })
}

describe('R-19: one token, by its jti', () => {
  test('is worth nothing on any node and socket; its session lives, and goes on with another', async () => {
    const sockets = [await openSocket(nurse), await openSocket(nurse, other)]
    const spent = new Person(server, nurse.key)
    spent.token = nurse.token
    const answer = await admin.call('POST', '/admin/tokens/revoke', {
      body: { user: nurse.user.id, jti: jtiOf(nurse) },
    })
    expect(answer.status).toBe(204)
    for (const socket of sockets) expect(await socket.closing()).toEqual({ code: 4440, reason: 'expired' })
    await isOut(spent)
    await expect(openSocket(spent)).rejects.toThrow('4401')
    expect((await nurse.refresh()).status).toBe(200)
    for (const node of [server, other]) expect(await statusOf(nurse, node)).toBe(200)
    const events = await auditOf(server, 'riverside', { action: 'token.revoke' })
    expect(events).toMatchObject([{ actor: admin.user.id, user: nurse.user.id, outcome: 'allowed', reason: 'revoked' }])
  })

  test('of somebody who is not there: 404; by who may not: refused', async () => {
    const body = { user: crypto.randomUUID(), jti: 'j'.repeat(32) }
    expect((await admin.call('POST', '/admin/tokens/revoke', { body })).status).toBe(404)
    expect((await nurse.call('POST', '/admin/tokens/revoke', { body: { ...body, user: admin.user.id } })).status).toBe(
      404,
    )
    expect(await statusOf(admin, server)).toBe(200)
  })
})

describe('RFC 7009: POST /oauth/revoke', () => {
  test('an access token, by whoever holds its key', async () => {
    const socket = await openSocket(nurse, other)
    const answer = await revoke(nurse, `token=${nurse.token}&token_type_hint=access_token&unknown=x`)
    expect([answer.status, answer.text]).toEqual([200, ''])
    expect((await socket.closing()).code).toBe(4440)
    await isOut(nurse)
    expect((await revoke(nurse, `token=${nurse.token}`)).status, 'a second time').toBe(200)
  })

  test('a refresh token ends its session', async () => {
    const socket = await openSocket(nurse, other)
    expect((await revoke(nurse, `token=${nurse.cookie}&token_type_hint=refresh_token`)).status).toBe(200)
    expect(await socket.closing()).toEqual(REVOKED)
    await isOut(nurse)
    expect((await nurse.refresh()).status).toBe(401)
  })

  test('what is no token, and the token of another key: 200, nothing changes, and the second is written down', async () => {
    for (const token of ['x', 'a.b.c', '00000000-0000-4000-8000-000000000000.'.padEnd(80, 'A')]) {
      expect((await revoke(nurse, `token=${token}`)).status).toBe(200)
    }
    const thief = new DeviceKey()
    for (const token of [nurse.token, nurse.cookie]) {
      expect((await revoke(nurse, `token=${token}`, { key: thief })).status).toBe(200)
    }
    expect(await statusOf(nurse, server)).toBe(200)
    expect((await nurse.refresh()).status).toBe(200)
    const session = String(claimsOf(nurse.token)['sid'])
    const events = await auditOf(server, 'riverside', { action: 'token.revoke', reason: 'device-mismatch', session })
    expect(events.map(({ outcome, device: key }) => [outcome, key])).toEqual([
      ['refused', thief.jkt],
      ['refused', thief.jkt],
    ])
  })

  test.each([
    ['no proof', 'token=x', { dpop: undefined }, 401, 'invalid_client'],
    ['no token', 'a=b', {}, 400, 'invalid_request'],
    ['a name twice', 'token=x&token=y', {}, 400, 'invalid_request'],
    ['bytes that are no UTF-8', 'token=%FF', {}, 200, undefined],
    ['JSON', '{"token":"x"}', { 'content-type': 'application/json' }, 400, 'invalid_request'],
  ])('%s', async (_name, form, headers, status, error) => {
    const answer = await revoke(nurse, form, { headers })
    expect(answer.status).toBe(status)
    expect((answer.body as { error?: string } | undefined)?.error).toBe(error)
  })
})

describe('R-19: a device', () => {
  test('of my own: its sign-ins end on every node, it opens nothing of mine again, and others may use it', async () => {
    const shared = new DeviceKey()
    const here = await signedIn(server, 'riverside/nurse.lind', shared)
    const clerk = await signedIn(server, 'riverside/clerk.moss', shared)
    const socket = await openSocket(here, other)
    const mine = await devicesOf(nurse, '/me/devices')
    expect(mine.filter(({ current }) => current)).toHaveLength(1)
    expect(mine.every(({ user, revokedAt }) => user === nurse.user.id && revokedAt === null)).toBe(true)
    const [wanted] = (await devicesOf(here, '/me/devices')).filter(({ current }) => current)
    expect(wanted?.sessions).toBe(1)
    expect((await nurse.call('DELETE', `/me/devices/${wanted?.id}`)).status).toBe(204)
    expect(await socket.closing()).toEqual(REVOKED)
    await isOut(here)
    expect((await here.refresh()).status).toBe(401)
    expect((await new Person(server, shared).signIn('riverside', 'nurse.lind')).status).toBe(401)
    expect(await statusOf(clerk, server)).toBe(200)
    expect(await statusOf(nurse, server), 'my other device').toBe(200)
    const [after] = (await devicesOf(nurse, '/me/devices')).filter(({ id }) => id === wanted?.id)
    expect(after).toMatchObject({ sessions: 0, revokedAt: expect.any(String) })
    const events = await auditOf(server, 'riverside', { action: 'device.revoke', actor: nurse.user.id })
    expect(events).toMatchObject([{ user: nurse.user.id, subject: shared.jkt, count: 1, reason: 'own' }])
  })

  test('by an administrator: for everybody who has signed in with it, or would', async () => {
    const stolen = new DeviceKey()
    const here = await signedIn(server, 'riverside/nurse.lind', stolen)
    const clerk = await signedIn(server, 'riverside/clerk.moss', stolen)
    const sockets = [await openSocket(here), await openSocket(clerk, other)]
    const [wanted] = await devicesOf(admin, `/admin/devices?user=${nurse.user.id}&limit=1`)
    expect((await admin.call('DELETE', `/admin/devices/${wanted?.id}`)).status).toBe(204)
    for (const socket of sockets) expect(await socket.closing()).toEqual(REVOKED)
    await isOut(here)
    await isOut(clerk)
    const pharmacist = await new Person(server, stolen).signIn('riverside', 'pharmacist.vega')
    expect(pharmacist.status, 'whoever tries').toBe(401)
    expect((await new Person(server, stolen).signIn('lakeside', 'physician.haddad')).status, 'R-37: elsewhere').toBe(
      200,
    )
    expect(await statusOf(nurse, server)).toBe(200)
    const refused = await auditOf(server, 'riverside', { action: 'auth.login', reason: 'device-revoked' })
    expect(refused.at(-1)).toMatchObject({ device: stolen.jkt, outcome: 'refused' })
  })

  test('by an administrator, while somebody signs in with it for the first time: that sign-in ends as well', async () => {
    const stolen = new DeviceKey()
    const here = await signedIn(server, 'riverside/nurse.lind', stolen)
    const vega = server.users.get('riverside/pharmacist.vega')
    const [wanted] = (await devicesOf(here, '/me/devices')).filter(({ current }) => current)
    const pharmacist = new Person(other, stolen)
    const [signIn, barring] = await asOwner(server.database.ownerUrl, async (client) => {
      // The sign-in stands still where it writes the device down, until this insertion is decided.
      await client.query('BEGIN')
      const row = [server.tenants.get('riverside'), crypto.randomUUID(), vega, stolen.jkt]
      await client.query('INSERT INTO devices (tenant_id, id, user_id, jkt) VALUES ($1, $2, $3, $4)', row)
      const signIn = pharmacist.signIn('riverside', 'pharmacist.vega')
      await lockAwaited(server.database, 'transactionid')
      const barring = admin.call('DELETE', `/admin/devices/${wanted?.id}`)
      await Promise.race([barring, lockAwaited(server.database, 'advisory')])
      await client.query('ROLLBACK')
      return Promise.all([signIn, barring])
    })
    expect([signIn.status, barring.status]).toEqual([200, 204])
    await isOut(here)
    await isOut(pharmacist)
    expect((await pharmacist.refresh()).status).toBe(401)
  })

  test('is nobody else’s to revoke, and an id of nothing is not found', async () => {
    const clerk = await signedIn(server, 'riverside/clerk.moss')
    const [wanted] = (await devicesOf(nurse, '/me/devices')).filter(({ current }) => current)
    for (const path of [
      `/me/devices/${wanted?.id}`,
      `/admin/devices/${wanted?.id}`,
      `/me/devices/${crypto.randomUUID()}`,
    ]) {
      expect((await clerk.call('DELETE', path)).status).toBe(404)
    }
    expect((await clerk.call('GET', '/admin/devices')).status).toBe(403)
    expect(await statusOf(nurse, server)).toBe(200)
  })
})

test('R-19: a person: every sign-in ends, on every node, and they may sign in again', async () => {
  const phone = await signedIn(other, 'riverside/nurse.lind')
  const sockets = [await openSocket(nurse), await openSocket(phone, other)]
  const answer = await admin.call('DELETE', `/admin/users/${nurse.user.id}/sessions`)
  expect(answer).toMatchObject({ status: 200, body: { ended: expect.any(Number) } })
  expect((answer.body as { ended: number }).ended).toBeGreaterThanOrEqual(2)
  for (const socket of sockets) expect(await socket.closing()).toEqual(REVOKED)
  await isOut(nurse)
  await isOut(phone)
  expect(await statusOf(await signedIn(server, 'riverside/nurse.lind'), server)).toBe(200)
  const again = await admin.call('DELETE', `/admin/users/${crypto.randomUUID()}/sessions`)
  expect(again.status).toBe(404)
})

test('R-19: an organisation: everybody is out on every node, the administrator too; another organisation is not', async () => {
  const elsewhere = await signedIn(server, 'lakeside/physician.haddad')
  const spared = await openSocket(elsewhere, other)
  const people = await Promise.all(
    ['physician.okafor', 'nurse.lind', 'pharmacist.vega'].map((name) => signedIn(other, `riverside/${name}`)),
  )
  const sockets = await Promise.all(people.flatMap((person) => [openSocket(person), openSocket(person, other)]))
  const answer = await admin.call('DELETE', '/admin/sessions')
  expect((answer.body as { ended: number }).ended).toBeGreaterThanOrEqual(4)
  for (const socket of sockets) expect(await socket.closing()).toEqual(REVOKED)
  for (const person of [...people, admin]) await isOut(person)
  expect((await spared.ask({ type: 'session.ping' })).type).toBe('done')
  expect(await statusOf(elsewhere, server)).toBe(200)
  const events = await auditOf(server, 'riverside', {
    action: 'session.manage',
    outcome: 'allowed',
    actor: admin.user.id,
  })
  expect(events.at(-1)).toMatchObject({ reason: 'revoked', count: (answer.body as { ended: number }).ended })
  admin = await signedIn(server, 'riverside/admin.reyes')
  expect((await nurse.call('DELETE', '/admin/sessions')).status).toBe(401)
})
