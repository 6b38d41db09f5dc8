import { refreshAnswer, type ServerFrameOf } from '@wardline/protocol'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { manualClock } from '../../apps/server/src/clock.ts'
import { auditOf } from '../_util/audit.ts'
import { addGroup } from '../_util/channels.ts'
import { claimsOf, type Person, signedIn } from '../_util/person.ts'
import { PASSWORD, startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket, type TestSocket } from '../_util/socket.ts'

const MINUTE = 60_000
const clock = manualClock()
let server: TestServer
let other: TestServer
let person: Person

beforeAll(async () => {
  server = await startTestServer({ clock, idleSeconds: 600 })
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
const me = (who: Person, at: TestServer = server) => who.call('GET', '/me', { at })
const unlock = (who: Person, body: unknown, at: TestServer = server) => who.call('POST', '/auth/unlock', { body, at })

type Held = { readonly socket: TestSocket; readonly who: Person; readonly at?: TestServer }

/** Time passes for sockets at which nobody sits: they answer pings and renew, as a page does by itself. */
async function pass(ms: number, held: readonly Held[] = []): Promise<void> {
  for (let left = ms; left > 0; left -= STEP_MS) {
    clock.advance(Math.min(STEP_MS, left))
    for (const each of held) await keep(each).catch(() => undefined)
  }
}

/** Whatever the server has sent because of the time has arrived when a ping is answered. */
async function keep({ socket, who, at = server }: Held): Promise<void> {
  await socket.ask({ type: 'session.ping' })
  const asked = socket.received.findLast((frame) => frame.type === 'session.renew-required')
  if (asked === undefined || answered.has(asked.nonce)) return
  answered.add(asked.nonce)
  await who.refresh()
  await socket.ask({ type: 'session.renew', token: who.token, proof: who.socketProof(asked.nonce, {}, at) })
}
const answered = new Set<string>()

/** The same, until the socket has been closed: the store is asked first, and that takes as long as it takes. */
async function ending(held: Held): Promise<TestSocket['closed']> {
  while (held.socket.closed === null) await pass(1_000, [held])
  return held.socket.closed
}
const STEP_MS = 20_000
const warnings = (socket: TestSocket) =>
  socket.received.filter((frame): frame is ServerFrameOf<'session.warning'> => frame.type === 'session.warning')

describe('R-21 automatic logoff, by the server’s clock', () => {
  test('warned a minute before, locked at ten: no call, no socket, not one frame more; unlocked by the password', async () => {
    const socket = await openSocket(person)
    const group = await addGroup(server, 'riverside/nurse.lind', 'riverside/physician.okafor')
    await socket.ask({ type: 'channel.subscribe', channel: group.id })
    const began = clock.now()
    await pass(9 * MINUTE - 1_000, [{ socket, who: person }])
    expect(warnings(socket)).toEqual([])
    await pass(2_000, [{ socket, who: person }])
    const { at } = await socket.frame('session.warning')
    expect(at).toBe(new Date(began + 10 * MINUTE).toISOString())
    await pass(MINUTE, [{ socket, who: person }])
    expect(await ending({ socket, who: person })).toEqual({ code: 4423, reason: 'locked' })

    await person.refresh()
    const refused = await me(person)
    expect(refused.body).toMatchObject({ status: 423, code: 'locked', retry: 'after-unlock', why: 'locked-idle' })
    expect((await me(person, other)).status).toBe(423)
    expect((await person.call('GET', `/channels/${group.id}/messages`)).status).toBe(423)
    const closed = await openSocket(person).catch((error: unknown) => String(error))
    expect(closed).toContain('4423')
    expect(
      await auditOf(server, 'riverside', { action: 'session.lock', outcome: 'allowed', session: sessionOf(person) }),
    ).toMatchObject([{ outcome: 'allowed', reason: 'session-idle', actor: person.user.id }])

    const opened = await unlock(person, { password: PASSWORD }, other)
    expect(refreshAnswer.parse(opened.body).locked).toBeUndefined()
    expect((await me(person)).status).toBe(200)
    expect((await me(person, other)).status).toBe(200)
    const again = await openSocket(person)
    expect((await again.ask({ type: 'channel.subscribe', channel: group.id, after: 0 })).type).toBe(
      'channel.subscribed',
    )
    expect(await auditOf(server, 'riverside', { action: 'session.unlock', session: sessionOf(person) })).toMatchObject([
      { outcome: 'allowed' },
    ])
  })

  test('what a screen does by itself shows nobody: pings, renewals, subscriptions, receipts, reading', async () => {
    const socket = await openSocket(person)
    const group = await addGroup(server, 'riverside/nurse.lind', 'riverside/physician.okafor')
    for (let minute = 0; minute < 10; minute += 1) {
      await pass(MINUTE, [{ socket, who: person }])
      if (socket.closed !== null) break
      await socket.ask({ type: 'channel.subscribe', channel: group.id })
      socket.send({ type: 'receipt.mark', channel: group.id, read: 1 })
      await me(person)
    }
    expect(await ending({ socket, who: person })).toEqual({ code: 4423, reason: 'locked' })
  })

  test.each([
    ['a touch of the screen', (socket: TestSocket) => socket.send({ type: 'session.activity' })],
    ['typing', (socket: TestSocket, channel: string) => socket.send({ type: 'typing.set', channel, active: true })],
    [
      'a message',
      (socket: TestSocket, channel: string) =>
        socket.send({ type: 'message.post', channel, clientId: crypto.randomUUID(), body: 'On my way' }),
    ],
    [
      'a change over HTTP',
      async (_: TestSocket, __: string, who: Person) => {
        const answer = await who.call('POST', '/directory/search', { body: { q: 'okafor' } })
        expect(answer.text).toContain('Okafor')
      },
    ],
  ])('%s takes the warning away, on every socket and node, and moves the lock', async (_, act) => {
    const group = await addGroup(server, 'riverside/nurse.lind', 'riverside/physician.okafor')
    const [here, there] = [await openSocket(person), await openSocket(person, other)]
    const both = [
      { socket: here, who: person },
      { socket: there, who: person, at: other },
    ] as const
    await pass(9 * MINUTE + 1_000, both)
    await Promise.all([here.frame('session.warning'), there.frame('session.warning')])
    await act(here, group.id, person)
    await here.frame('session.warning', ({ at }) => at === null)
    // Should the hint be lost, by the poll.
    clock.advance(1_001)
    await there.frame('session.warning', ({ at }) => at === null)
    await pass(8 * MINUTE, both)
    expect([here.closed, there.closed]).toEqual([null, null])
    await pass(2 * MINUTE, both)
    expect(await ending(both[0])).toEqual({ code: 4423, reason: 'locked' })
    expect(await ending(both[1])).toEqual({ code: 4423, reason: 'locked' })
  })

  test('who is active on one node is not locked by another, though it sees nothing of them', async () => {
    const [here, there] = [await openSocket(person), await openSocket(person, other)]
    const both = [
      { socket: here, who: person },
      { socket: there, who: person, at: other },
    ] as const
    for (let minute = 0; minute < 14; minute += 1) {
      await pass(MINUTE, both)
      here.send({ type: 'session.activity' })
      await here.ask({ type: 'session.ping' })
      await server.ctx.activity.flush()
    }
    expect([here.closed, there.closed, warnings(there)]).toEqual([null, null, []])
  })

  test('a session without a socket is locked at its next use, also when that is a refresh, and it says so', async () => {
    clock.advance(10 * MINUTE)
    const renewed = await person.refresh()
    expect(renewed.body).toMatchObject({ locked: true })
    expect((await me(person)).status).toBe(423)
  })

  test('its person locks it by hand', async () => {
    const socket = await openSocket(person, other)
    expect((await person.call('POST', '/auth/lock')).status).toBe(204)
    expect(await socket.closing()).toEqual({ code: 4423, reason: 'locked' })
    expect((await me(person)).body).toMatchObject({ why: 'locked-own' })
    expect((await unlock(person, { password: PASSWORD })).status).toBe(200)
  })

  test('five wrong tries end it; four do not, and the right one begins the count anew', async () => {
    const wrong = { password: 'not this one' }
    await person.call('POST', '/auth/lock')
    for (let tries = 0; tries < 4; tries += 1) {
      expect((await unlock(person, wrong)).body).toMatchObject({ code: 'invalid', why: 'password-wrong' })
    }
    expect((await unlock(person, { password: PASSWORD })).status).toBe(200)
    clock.advance(MINUTE)
    await person.refresh()
    await person.call('POST', '/auth/lock')
    for (let tries = 0; tries < 4; tries += 1) await unlock(person, wrong)
    expect((await unlock(person, wrong)).status).toBe(401)
    expect((await unlock(person, { password: PASSWORD })).status).toBe(401)
    expect((await person.refresh()).status).toBe(401)
    expect(await auditOf(server, 'riverside', { action: 'session.end', session: sessionOf(person) })).toMatchObject([
      { reason: 'attempts' },
    ])
  })

  test('a locked session can be left; another person’s password opens nothing', async () => {
    await person.call('POST', '/auth/lock')
    expect((await person.call('POST', '/auth/logout')).status).toBe(204)
    expect((await person.refresh()).status).toBe(401)
  })

  test('its absolute end comes whatever is done, and is said five minutes before', async () => {
    await server.database.query(
      `UPDATE tenant_settings SET session_seconds = 3600 FROM tenants t WHERE t.id = tenant_id AND t.slug = 'lakeside'`,
    )
    clock.advance(2_000)
    const haddad = await signedIn(server, 'lakeside/physician.haddad')
    const ends = clock.now() + 60 * MINUTE
    const socket = await openSocket(haddad)
    for (let minute = 0; minute < 54; minute += 1) {
      await pass(MINUTE, [{ socket, who: haddad }])
      socket.send({ type: 'session.activity' })
    }
    expect(warnings(socket)).toEqual([])
    await pass(MINUTE + 1_000, [{ socket, who: haddad }])
    expect(await socket.frame('session.warning')).toMatchObject({ reason: 'end', at: new Date(ends).toISOString() })
    await pass(5 * MINUTE, [{ socket, who: haddad }])
    expect(await ending({ socket, who: haddad })).toEqual({ code: 4401, reason: 'unauthenticated' })
  })
})
