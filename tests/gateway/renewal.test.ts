import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { type ManualClock, manualClock } from '../../apps/server/src/clock.ts'
import { auditOf } from '../_util/audit.ts'
import { addGroup } from '../_util/channels.ts'
import { claimsOf, type Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket, TestSocket } from '../_util/socket.ts'

let clock: ManualClock
let server: TestServer
beforeAll(async () => {
  clock = manualClock(Date.UTC(2026, 5, 1, 8))
  server = await startTestServer({ clock, config: { accessTokenSeconds: 60 } })
})
afterAll(() => server.stop())

type Demand = Extract<TestSocket['received'][number], { type: 'session.renew-required' }>
const isDemand = (frame: TestSocket['received'][number]): frame is Demand => frame.type === 'session.renew-required'

/** How often each socket was asked for a new token and got its answer. */
const answered = new Map<TestSocket, number>()

/** Moves the clock on in steps, with pings in between, until the server has asked for a new token. */
async function untilAsked(socket: TestSocket, stepMs = 1_000) {
  const before = answered.get(socket) ?? 0
  answered.set(socket, before + 1)
  for (;;) {
    const asked = socket.received.filter(isDemand)[before]
    if (asked !== undefined) return asked
    clock.advance(stepMs)
    await socket.ask({ type: 'session.ping' })
  }
}

async function renew(person: Person, socket: TestSocket, stepMs?: number) {
  const { nonce, before } = await untilAsked(socket, stepMs)
  expect(Date.parse(before)).toBeGreaterThan(clock.now())
  expect((await person.refresh()).status).toBe(200)
  return socket.ask({ type: 'session.renew', token: person.token, proof: person.socketProof(nonce) })
}

describe('R-17 renewal', () => {
  test('without a new token the socket ends after the grace, not before', async () => {
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    const socket = await openSocket(nurse)
    const { before } = await untilAsked(socket)
    clock.advance(Date.parse(before) - clock.now() + 4_000)
    expect((await socket.ask({ type: 'session.ping' })).type).toBe('done')
    clock.advance(1_500)
    expect(await socket.closing()).toEqual({ code: 4440, reason: 'expired' })
  })

  test.each<[string, (nurse: Person, nonce: string) => Promise<{ token: string; proof: string }>]>([
    [
      'of another person',
      async (_nurse, nonce) => {
        const physician = await signedIn(server, 'riverside/physician.okafor')
        return { token: physician.token, proof: physician.socketProof(nonce) }
      },
    ],
    [
      'of another organisation',
      async (_nurse, nonce) => {
        const stranger = await signedIn(server, 'lakeside/physician.haddad')
        return { token: stranger.token, proof: stranger.socketProof(nonce) }
      },
    ],
    [
      'of another sign-in on another device',
      async (_nurse, nonce) => {
        const again = await signedIn(server, 'riverside/nurse.lind')
        return { token: again.token, proof: again.socketProof(nonce) }
      },
    ],
    [
      'of another sign-in on the same device',
      async (nurse, nonce) => {
        const again = await signedIn(server, 'riverside/nurse.lind', nurse.key)
        return { token: again.token, proof: again.socketProof(nonce) }
      },
    ],
    [
      'over another nonce',
      async (nurse) => {
        await nurse.refresh()
        return { token: nurse.token, proof: nurse.socketProof('A'.repeat(32)) }
      },
    ],
  ])('R-17 a token %s ends the socket with 4401', async (_, credentials) => {
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    const socket = await openSocket(nurse)
    const { nonce } = await untilAsked(socket)
    socket.send({ type: 'session.renew', ...(await credentials(nurse, nonce)) })
    expect(await socket.closing()).toEqual({ code: 4401, reason: 'unauthenticated' })
  })

  test('renewing unasked, or twice over one nonce, ends the socket', async () => {
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    const unasked = await openSocket(nurse)
    unasked.send({ type: 'session.renew', token: nurse.token, proof: nurse.socketProof('A'.repeat(32)) })
    expect(await unasked.closing()).toEqual({ code: 4401, reason: 'unauthenticated' })
    const twice = await openSocket(nurse)
    const { nonce } = await untilAsked(twice)
    await nurse.refresh()
    const frame = { type: 'session.renew', token: nurse.token, proof: nurse.socketProof(nonce) } as const
    await twice.ask(frame)
    twice.send(frame)
    expect(await twice.closing()).toEqual({ code: 4401, reason: 'unauthenticated' })
  })
})

describe('R-18 a token that is older than what an administrator asked for', () => {
  const renewRequired = (socket: TestSocket) => socket.received.filter(isDemand)

  /** The nurse, whose sign-in has to be renewed within half a minute: by when. */
  async function demanded(): Promise<{ nurse: Person; by: number }> {
    const [nurse, admin] = [
      await signedIn(server, 'riverside/nurse.lind'),
      await signedIn(server, 'riverside/admin.reyes'),
    ]
    clock.advance(2_000)
    const path = `/admin/sessions/${String(claimsOf(nurse.token)['sid'])}/renew`
    expect((await admin.call('POST', path, { body: { demand: 'renew' } })).status).toBe(204)
    return { nurse, by: clock.now() + 30_000 }
  }

  test('opens a socket, which is asked for another at once and ends without one when HTTP does', async () => {
    const { nurse, by } = await demanded()
    const socket = await openSocket(nurse)
    expect(await socket.frame('session.renew-required')).toMatchObject({
      reason: 'administrator',
      before: new Date(by).toISOString(),
    })
    clock.advance(by - clock.now() - 1_000)
    expect((await socket.ask({ type: 'session.ping' })).type).toBe('done')
    clock.advance(6_500)
    expect((await nurse.call('GET', '/me')).status).toBe(401)
    expect(await socket.closing()).toEqual({ code: 4440, reason: 'expired' })
  })

  test('does not do for a renewal; the next one does', async () => {
    const { nurse, by } = await demanded()
    const socket = await openSocket(nurse)
    const { nonce } = await socket.frame('session.renew-required')
    const same = { type: 'session.renew', token: nurse.token, proof: nurse.socketProof(nonce) } as const
    expect(await socket.ask(same)).toMatchObject({ type: 'session.renewed' })
    await expect.poll(() => renewRequired(socket)).toHaveLength(2)
    const [, again] = renewRequired(socket)
    expect(again).toMatchObject({ reason: 'administrator', before: new Date(by).toISOString() })
    expect((await nurse.refresh()).status).toBe(200)
    const proof = nurse.socketProof(again?.nonce ?? '')
    expect(await socket.ask({ type: 'session.renew', token: nurse.token, proof })).toMatchObject({
      type: 'session.renewed',
    })
    expect((await socket.ask({ type: 'session.ping' })).type).toBe('done')
    expect(renewRequired(socket)).toHaveLength(2)
    socket.cut()
  })
})

describe('R-17 an answer that crosses a new demand', () => {
  test('counts, and so does the answer to that', async () => {
    const [nurse, admin] = [
      await signedIn(server, 'riverside/nurse.lind'),
      await signedIn(server, 'riverside/admin.reyes'),
    ]
    const socket = await openSocket(nurse)
    const { nonce } = await untilAsked(socket)
    clock.advance(2_000)
    const path = `/admin/sessions/${String(claimsOf(nurse.token)['sid'])}/renew`
    expect((await admin.call('POST', path, { body: { demand: 'renew' } })).status).toBe(204)
    await expect.poll(() => socket.received.findLast(isDemand)).toMatchObject({ reason: 'administrator' })
    const demanded = socket.received.findLast(isDemand)
    for (const each of [nonce, demanded?.nonce ?? '']) {
      expect((await nurse.refresh()).status).toBe(200)
      const answer = { type: 'session.renew', token: nurse.token, proof: nurse.socketProof(each) } as const
      expect(await socket.ask(answer)).toMatchObject({ type: 'session.renewed' })
    }
    expect((await socket.ask({ type: 'session.ping' })).type).toBe('done')
    socket.cut()
  })
})

/** What happens while the event of this action is written: before whoever waits for it goes on. */
function duringAudit(action: string, happens: () => Promise<void>): void {
  const { database } = server.ctx
  const write = database.auditOnly
  const spy = vi.spyOn(database, 'auditOnly').mockImplementation(async (tenant, fact) => {
    await write(tenant, fact)
    if (fact.action !== action) return
    spy.mockRestore()
    await happens()
  })
}

describe('R-19 while a token is being judged', () => {
  test('as a renewal, it is revoked: the socket ends', async () => {
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    const socket = await openSocket(nurse)
    const { nonce } = await untilAsked(socket)
    await nurse.refresh()
    const body = new URLSearchParams({ token: nurse.token }).toString()
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    duringAudit('session.renew', async () => {
      expect((await nurse.bare('POST', '/oauth/revoke', { body, headers })).status).toBe(200)
    })
    socket.send({ type: 'session.renew', token: nurse.token, proof: nurse.socketProof(nonce) })
    expect(await socket.closing()).toEqual({ code: 4440, reason: 'expired' })
    expect(socket.received.map(({ type }) => type)).not.toContain('session.renewed')
  })

  test('as a sign-in, a role of its user comes to demand a second factor: no socket opens', async () => {
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    const roles = (requireSecondFactor: boolean) =>
      signedIn(server, 'riverside/admin.reyes').then((admin) =>
        admin.call('PATCH', '/admin/roles/nurse', { body: { requireSecondFactor } }),
      )
    duringAudit('socket.authenticate', async () => void (await roles(true)))
    const socket = new TestSocket(server)
    const { nonce } = await socket.frame('session.challenge')
    socket.send({ type: 'session.authenticate', token: nurse.token, proof: nurse.socketProof(nonce) })
    expect(await socket.closing()).toEqual({ code: 4440, reason: 'expired' })
    expect(socket.received.map(({ type }) => type)).not.toContain('session.authenticated')
    await roles(false)
  })
})

describe('R-17 with tokens of twenty seconds', () => {
  test('thirty minutes, with messages on their way at every renewal, lose nothing and drop nobody', async () => {
    const short = await startTestServer({ clock, config: { accessTokenSeconds: 20 } })
    const channel = await addGroup(short, 'riverside/nurse.lind', 'riverside/physician.okafor')
    const nurse = await signedIn(short, 'riverside/nurse.lind')
    const physician = await signedIn(short, 'riverside/physician.okafor')
    const [reader, writer] = [await openSocket(nurse), await openSocket(physician)]
    await reader.ask({ type: 'channel.subscribe', channel: channel.id, after: 0 })
    await reader.frame('channel.live')
    const started = clock.now()
    let posted = 0
    while (clock.now() - started < 30 * 60_000) {
      const answers = Array.from({ length: 10 }, (_, index) =>
        writer.ask({ type: 'message.post', channel: channel.id, clientId: randomUUID(), body: `${posted + index}` }),
      )
      posted += answers.length
      expect(await renew(nurse, reader, 4_000)).toMatchObject({ type: 'session.renewed' })
      expect(await renew(physician, writer, 4_000)).toMatchObject({ type: 'session.renewed' })
      for (const answer of await Promise.all(answers)) expect(answer.type).toBe('message.accepted')
    }
    await reader.until(() => reader.events(channel.id).length === posted)
    expect(reader.events(channel.id).map(({ seq }) => seq)).toEqual(Array.from({ length: posted }, (_, i) => i + 1))
    expect([reader.closed, writer.closed]).toEqual([null, null])
    expect(posted).toBeGreaterThan(900)
    const renewals = await auditOf(short, 'riverside', { action: 'session.renew', actor: nurse.user.id })
    expect(renewals.length).toBeGreaterThanOrEqual(posted / 10)
    await short.stop()
  }, 300_000)
})

describe('R-07 health', () => {
  test('the server pings, and gives up a peer that has gone silent', async () => {
    const socket = await openSocket(await signedIn(server, 'riverside/nurse.lind'))
    const pinged = new Promise((resolve) => socket.ws.once('ping', resolve))
    clock.advance(15_500)
    await pinged
    // The client of `ws` has answered: that counts, and silence after it does not.
    await expect.poll(() => socket.ws.bufferedAmount).toBe(0)
    clock.advance(10_000)
    expect(socket.closed).toBeNull()
    socket.ws.pause()
    clock.advance(35_000)
    socket.ws.resume()
    expect(await socket.closing()).toEqual({ code: 4408, reason: 'timeout' })
  })
})
