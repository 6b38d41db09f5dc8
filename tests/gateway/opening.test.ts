import { randomUUID } from 'node:crypto'
import { limits, SOCKET_PATH } from '@wardline/protocol'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { manualClock } from '../../apps/server/src/clock.ts'
import { auditOf } from '../_util/audit.ts'
import { DeviceKey } from '../_util/device-key.ts'
import { type Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket, TestSocket } from '../_util/socket.ts'

const clock = manualClock(Date.UTC(2026, 5, 1, 8))
let server: TestServer
let nurse: Person
const sockets: TestSocket[] = []

beforeAll(async () => {
  server = await startTestServer({ clock })
  nurse = await signedIn(server, 'riverside/nurse.lind')
})
afterEach(() => {
  for (const socket of sockets.splice(0)) socket.cut()
})
afterAll(() => server.stop())

function connect(
  ...options: ConstructorParameters<typeof TestSocket> extends [unknown, ...infer R] ? R : never
): TestSocket {
  const socket = new TestSocket(server, ...options)
  sockets.push(socket)
  return socket
}

describe('[P1] before anybody has signed in', () => {
  test('the server says one thing, and only that', async () => {
    const socket = connect()
    const challenge = await socket.frame('session.challenge')
    expect(challenge).toMatchObject({ deadlineMs: 5_000, serverTime: new Date(clock.now()).toISOString() })
    expect(Object.keys(challenge).sort()).toEqual(['connectionId', 'deadlineMs', 'nonce', 'serverTime', 'type'])
    socket.ws.ping()
    expect(await socket.closing()).toEqual({ code: 4400, reason: 'protocol' })
    expect(socket.received).toHaveLength(1)
  })

  test.each<[string, string, { code: number; reason: string }]>([
    [
      'a request',
      JSON.stringify({ type: 'channel.subscribe', id: '1', channel: randomUUID() }),
      { code: 4400, reason: 'protocol' },
    ],
    ['a ping of ours', JSON.stringify({ type: 'session.ping', id: '1' }), { code: 4400, reason: 'protocol' }],
    [
      'a renewal',
      JSON.stringify({ type: 'session.renew', id: '1', token: 'a.b.c', proof: 'a.b.c' }),
      { code: 4400, reason: 'protocol' },
    ],
    ['not JSON', 'hello', { code: 4400, reason: 'protocol' }],
    ['an array', '[]', { code: 4400, reason: 'protocol' }],
    ['nothing', '', { code: 4400, reason: 'protocol' }],
    ['deep nesting', '['.repeat(4_000), { code: 4400, reason: 'protocol' }],
    [
      'an unknown field',
      JSON.stringify({ type: 'session.authenticate', id: '1', token: 'a.b.c', proof: 'a.b.c', admin: true }),
      { code: 4400, reason: 'protocol' },
    ],
    [
      'tokens that are none',
      JSON.stringify({ type: 'session.authenticate', id: '1', token: 'a.b.c', proof: 'a.b.c' }),
      { code: 4401, reason: 'unauthenticated' },
    ],
    [
      'more than 4 KiB',
      JSON.stringify({ type: 'session.authenticate', id: '1', token: `a.${'b'.repeat(4_096)}.c`, proof: 'a.b.c' }),
      { code: 1009, reason: 'too-large' },
    ],
  ])('%s closes', async (_, frame, closed) => {
    const socket = connect()
    await socket.frame('session.challenge')
    socket.raw(frame)
    expect(await socket.closing()).toEqual(closed)
    expect(socket.received).toHaveLength(1)
  })

  test('R-06 binary closes with 1003, text that is no UTF-8 with 1007', async () => {
    const binary = connect()
    await binary.frame('session.challenge')
    binary.raw(Buffer.from('{}'), { binary: true })
    expect(await binary.closing()).toEqual({ code: 1003, reason: 'binary' })
    const latin = connect()
    await latin.frame('session.challenge')
    latin.raw(Buffer.from([0x22, 0xe9, 0x22]))
    expect(await latin.closing()).toEqual({ code: 1007, reason: 'not-utf8' })
  })

  test('a second frame while the first is judged closes', async () => {
    const socket = connect()
    const { nonce } = await socket.frame('session.challenge')
    const first = { type: 'session.authenticate', id: '1', token: nurse.token, proof: nurse.socketProof(nonce) }
    socket.raw(JSON.stringify(first))
    socket.raw(JSON.stringify(first))
    expect(await socket.closing()).toEqual({ code: 4400, reason: 'protocol' })
    expect(socket.received).toHaveLength(1)
  })

  test('R-04 silence closes after five seconds, whatever is pinged meanwhile', async () => {
    const socket = connect()
    await socket.frame('session.challenge')
    clock.advance(4_750)
    expect(socket.closed).toBeNull()
    clock.advance(500)
    expect(await socket.closing()).toEqual({ code: 4408, reason: 'timeout' })
  })
})

describe('R-16 authentication', () => {
  test('gives who it is and every limit, and is audited from the connection on', async () => {
    const socket = await openSocket(nurse)
    sockets.push(socket)
    const { connectionId } = await socket.frame('session.challenge')
    const answer = await socket.frame('session.authenticated')
    expect(answer.user).toEqual(nurse.user)
    expect(answer.limits).toEqual({ ...server.ctx.config.limits, ...server.ctx.config.preAuth })
    expect(Date.parse(answer.expiresAt)).toBeGreaterThan(clock.now())
    const events = await auditOf(server, 'riverside', { connection: connectionId })
    expect(events.map(({ action, outcome }) => `${action} ${outcome}`)).toEqual([
      'socket.connect allowed',
      'socket.authenticate allowed',
    ])
    expect(events[1]).toMatchObject({
      actor: nurse.user.id,
      device: nurse.key.jkt,
      address: '127.0.0.1',
      origin: server.url,
    })
    expect(events[0]).not.toHaveProperty('actor')
  })

  test('[P9] states the whole table of limits and nothing else, though a client would let it pass', async () => {
    const socket = connect()
    const texts: string[] = []
    socket.ws.on('message', (text: Buffer) => texts.push(text.toString()))
    const { nonce } = await socket.frame('session.challenge')
    socket.send({ type: 'session.authenticate', token: nurse.token, proof: nurse.socketProof(nonce) })
    await socket.frame('session.authenticated')
    const welcome = texts.map((text) => JSON.parse(text)).find(({ type }) => type === 'session.authenticated')
    expect(Object.keys(welcome.limits).toSorted()).toEqual(Object.keys(limits.shape).toSorted())
  })

  test.each<[string, (nonce: string) => Promise<{ token: string; proof: string }> | { token: string; proof: string }]>([
    [
      'a proof over another nonce',
      () => ({ token: nurse.token, proof: nurse.socketProof('AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA') }),
    ],
    [
      'a proof without a nonce',
      (nonce) => ({ token: nurse.token, proof: nurse.socketProof(nonce, { claims: { nonce: undefined } }) }),
    ],
    [
      'a proof of another device',
      (nonce) => {
        const thief = new DeviceKey()
        const about = { method: 'GET', url: `${server.url}${SOCKET_PATH}`, at: clock.now(), token: nurse.token, nonce }
        return { token: nurse.token, proof: thief.proof(about) }
      },
    ],
    [
      'a proof for another path',
      (nonce) => ({
        token: nurse.token,
        proof: nurse.socketProof(nonce, { claims: { htu: `${server.url}/api/v1/me` } }),
      }),
    ],
    [
      'a proof for another method',
      (nonce) => ({ token: nurse.token, proof: nurse.socketProof(nonce, { claims: { htm: 'POST' } }) }),
    ],
    [
      'a proof over another token',
      (nonce) => ({ token: nurse.token, proof: nurse.socketProof(nonce, { claims: { ath: 'x' } }) }),
    ],
    [
      'an old proof',
      (nonce) => ({
        token: nurse.token,
        proof: nurse.socketProof(nonce, { claims: { iat: clock.now() / 1000 - 120 } }),
      }),
    ],
    [
      'a token of somebody else',
      async (nonce) => ({
        token: (await signedIn(server, 'riverside/physician.okafor')).token,
        proof: nurse.socketProof(nonce),
      }),
    ],
    [
      'a token that was changed',
      (nonce) => ({ token: `${nurse.token.slice(0, -4)}AAAA`, proof: nurse.socketProof(nonce) }),
    ],
  ])('%s closes with 4401 and no more; the tenant whose token it was has it in its log', async (name, credentials) => {
    const socket = connect()
    const { nonce, connectionId } = await socket.frame('session.challenge')
    socket.send({ type: 'session.authenticate', ...(await credentials(nonce)) })
    expect(await socket.closing()).toEqual({ code: 4401, reason: 'unauthenticated' })
    expect(socket.received).toHaveLength(1)
    const written = async () =>
      (await auditOf(server, 'riverside', { connection: connectionId })).map(({ action, outcome }) => [action, outcome])
    const isOurs = name !== 'a token that was changed'
    await expect.poll(written).toEqual(isOurs ? [['socket.authenticate', 'refused']] : [])
  })

  test('a proof is good on its socket alone: replayed on another it is none', async () => {
    const [first, second] = [connect(), connect()]
    const { nonce } = await first.frame('session.challenge')
    const proof = nurse.socketProof(nonce)
    first.send({ type: 'session.authenticate', token: nurse.token, proof })
    await first.frame('session.authenticated')
    await second.frame('session.challenge')
    second.send({ type: 'session.authenticate', token: nurse.token, proof })
    expect(await second.closing()).toEqual({ code: 4401, reason: 'unauthenticated' })
  })

  test('an expired token, and a session that was signed out', async () => {
    const gone = await signedIn(server, 'riverside/pharmacist.vega')
    await gone.call('POST', '/auth/logout', { headers: { 'x-csrf-token': gone.csrf } })
    const socket = connect()
    const { nonce } = await socket.frame('session.challenge')
    socket.send({ type: 'session.authenticate', token: gone.token, proof: gone.socketProof(nonce) })
    expect(await socket.closing()).toEqual({ code: 4401, reason: 'unauthenticated' })

    const late = await signedIn(server, 'riverside/pharmacist.vega')
    clock.advance(310_000)
    const other = connect()
    const challenge = await other.frame('session.challenge')
    other.send({ type: 'session.authenticate', token: late.token, proof: late.socketProof(challenge.nonce) })
    expect(await other.closing()).toEqual({ code: 4401, reason: 'unauthenticated' })
    nurse = await signedIn(server, 'riverside/nurse.lind')
  })

  test('authenticating a second time closes', async () => {
    const socket = await openSocket(nurse)
    socket.send({ type: 'session.authenticate', token: nurse.token, proof: nurse.socketProof('x'.repeat(32)) })
    expect(await socket.closing()).toEqual({ code: 4400, reason: 'protocol' })
  })
})
