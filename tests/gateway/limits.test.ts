import { randomUUID } from 'node:crypto'
import { CLOSE_CODES, type CloseCode, DEFAULT_LIMITS } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { auditOf } from '../_util/audit.ts'
import { addGroup, type TestChannel } from '../_util/channels.ts'
import { type Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket, type TestSocket } from '../_util/socket.ts'

const limits = {
  ...DEFAULT_LIMITS,
  requestsPerSecond: 20,
  requestBurst: 30,
  subscriptions: 3,
  inFlight: 5,
  socketsPerUser: 4,
  bodyLength: 1_000,
  // Who is closed for abuse here comes back for the next test: tests/limits.test.ts holds them off.
  holdOffMs: 1,
}
const people = ['riverside/nurse.lind', 'riverside/physician.okafor'] as const
let server: TestServer
let nurse: Person
let channel: TestChannel
beforeAll(async () => {
  server = await startTestServer({ config: { limits } })
  nurse = await signedIn(server, people[0])
  channel = await addGroup(server, ...people)
})
afterAll(() => server.stop())

const closing = (code: CloseCode) => ({ code, reason: CLOSE_CODES[code].reason })
const post = (body = 'text', clientId: string = randomUUID()) =>
  ({ type: 'message.post', channel: channel.id, clientId, body }) as const

/** A good request about a channel that is not there. */
const unseen = { type: 'message.post', id: 'q', channel: randomUUID(), clientId: randomUUID(), body: 'text' }

/** Raw bytes past the client's own framing, as nobody's library would send them. */
function rawBytes(socket: TestSocket, bytes: Buffer): void {
  const { _socket } = socket.ws as unknown as { _socket: { write(bytes: Buffer): void } }
  _socket.write(bytes)
}

describe('[P8] R-06 frames', () => {
  test.each<[string, (socket: TestSocket) => void, CloseCode]>([
    ['binary', (socket) => socket.raw(Buffer.from('{}'), { binary: true }), 1003],
    ['text that is not UTF-8', (socket) => socket.raw(Buffer.from([0x7b, 0xff, 0x7d])), 1007],
    ['more than a frame may hold', (socket) => socket.raw(`"${'x'.repeat(limits.frameBytes)}"`), 1009],
    [
      'a length beyond all numbers',
      (socket) => rawBytes(socket, Buffer.from([0x81, 0xff, 0x7f, 255, 255, 255, 255, 255, 255, 255, 0, 0, 0, 0])),
      1009,
    ],
    ['a frame that is not masked', (socket) => rawBytes(socket, Buffer.from([0x81, 0x02, 0x7b, 0x7d])), 1002],
    ['a reserved bit', (socket) => rawBytes(socket, Buffer.from([0xc1, 0x82, 0, 0, 0, 0, 0x7b, 0x7d])), 1002],
    ['an opcode that is none', (socket) => rawBytes(socket, Buffer.from([0x83, 0x80, 0, 0, 0, 0])), 1002],
    [
      'a hundred fragments',
      (socket) => {
        for (let each = 0; each < 100; each += 1) socket.ws.send('', { fin: false })
      },
      1008,
    ],
    ['not JSON', (socket) => socket.raw('hello'), 4400],
    ['JSON that is no object', (socket) => socket.raw('[{"type":"session.ping","id":"1"}]'), 4400],
    ['an unknown type', (socket) => socket.raw('{"type":"message.delete","id":"1"}'), 4400],
    ['a type of the server’s', (socket) => socket.raw('{"type":"channel.live"}'), 4400],
    ['nothing', (socket) => socket.raw(''), 4400],
    ['brackets sixty thousand deep', (socket) => socket.raw('['.repeat(60_000)), 4400],
  ])('%s closes with its code and one word, and is audited', async (_, send, code) => {
    const socket = await openSocket(nurse)
    const { connectionId } = await socket.frame('session.challenge')
    const received = socket.received.length
    send(socket)
    expect(await socket.closing()).toEqual(closing(code))
    expect(socket.received.slice(received).filter(({ type }) => type !== 'inbox.changed')).toEqual([])
    await expect
      .poll(() => auditOf(server, 'riverside', { connection: connectionId, action: 'socket.close' }))
      .toHaveLength(1)
  })

  test.each<[string, object]>([
    ['an unknown field', { type: 'session.ping', id: 'q', admin: true }],
    ['a missing field', { type: 'message.post', id: 'q', channel: randomUUID() }],
    ['a wrong type', { ...unseen, body: 7 }],
    ['a control character', { ...unseen, body: 'a\u0000b' }],
    ['a text direction override', { ...unseen, body: 'a\u202eb' }],
    ['a lone surrogate', { ...unseen, body: 'a\ud800' }],
    ['only white space', { ...unseen, body: ' \n\t ' }],
    ['an id in capitals', { ...unseen, channel: unseen.channel.toUpperCase() }],
    ['a priority that is none', { ...unseen, priority: 'now' }],
    ['a negative sequence', { type: 'channel.subscribe', id: 'q', channel: randomUUID(), after: -1 }],
    ['a sequence beyond numbers', { type: 'channel.subscribe', id: 'q', channel: randomUUID(), after: 1e300 }],
  ])('%s is invalid, answered by its id, and the socket lives', async (_, frame) => {
    const socket = await openSocket(nurse)
    socket.raw(JSON.stringify(frame))
    expect(await socket.answer('q')).toMatchObject({ type: 'error', code: 'invalid', retry: 'never' })
    expect(await socket.ask({ type: 'session.ping' })).toMatchObject({ type: 'done' })
    socket.cut()
  })

  test('a prototype in the frame changes nothing, and is an unknown field', async () => {
    const socket = await openSocket(nurse)
    for (const name of ['__proto__', 'constructor', 'prototype']) {
      socket.raw(`{"type":"session.ping","id":"q-${name}","${name}":{"polluted":true}}`)
    }
    for (const name of ['constructor', 'prototype']) {
      expect(await socket.answer(`q-${name}`)).toMatchObject({ type: 'error', code: 'invalid' })
    }
    await socket.answer('q-__proto__')
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined()
    socket.cut()
  })

  test('a body longer than the limit is too large; the longest that fits is taken', async () => {
    const socket = await openSocket(nurse)
    expect(await socket.ask(post('x'.repeat(1_001)))).toMatchObject({ type: 'error', code: 'too-large' })
    expect(await socket.ask(post('x'.repeat(1_000)))).toMatchObject({ type: 'message.accepted' })
    expect(await socket.ask(post('é'.normalize('NFD').repeat(1_000)))).toMatchObject({ type: 'message.accepted' })
    socket.cut()
  })
})

describe('[P8] R-51 rates and counts', () => {
  test('beyond the rate a request is refused with when to come back, and then taken', async () => {
    const socket = await openSocket(nurse)
    const answers = await Promise.all(Array.from({ length: 40 }, () => socket.ask({ type: 'session.ping' })))
    const refused = answers.filter((answer) => answer.type === 'error')
    expect(refused.length).toBeGreaterThan(0)
    expect(refused.length).toBeLessThanOrEqual(10)
    for (const each of refused) {
      expect(each).toMatchObject({ code: 'rate-limited', retry: 'later' })
      expect(each.retryAfterMs).toBeGreaterThan(0)
    }
    await expect.poll(async () => (await socket.ask({ type: 'session.ping' })).type).toBe('done')
    const { connectionId } = await socket.frame('session.challenge')
    socket.cut()
    await expect
      .poll(() => auditOf(server, 'riverside', { connection: connectionId, action: 'limit.hit', reason: 'rate' }))
      .not.toHaveLength(0)
  })

  test('who goes on and on is closed with 4429, and its thousand refusals are a handful of audit events', async () => {
    const socket = await openSocket(nurse)
    const { connectionId } = await socket.frame('session.challenge')
    for (let each = 0; each < 1_000; each += 1) socket.raw(`{"type":"session.ping","id":"${each}"}`)
    expect(await socket.closing()).toEqual(closing(4429))
    expect(socket.received.filter(({ type }) => type === 'error').length).toBeLessThan(100)
    await expect
      .poll(() => auditOf(server, 'riverside', { connection: connectionId, action: 'socket.close', reason: 'rate' }))
      .toHaveLength(1)
    const hits = await auditOf(server, 'riverside', { connection: connectionId, action: 'limit.hit' })
    expect(hits.length).toBeLessThanOrEqual(6)
    expect(hits.at(-1)?.count).toBeGreaterThan(10)
  })

  test('a flood of pings is a flood', async () => {
    const socket = await openSocket(nurse)
    for (let each = 0; each < 500; each += 1) socket.ws.ping('x'.repeat(100))
    expect(await socket.closing()).toEqual(closing(4429))
  })

  test('more than may be in flight is refused at once; what is in flight is answered', async () => {
    const socket = await openSocket(nurse)
    const answers = await Promise.all(Array.from({ length: 9 }, () => socket.ask(post())))
    const types = answers.map((answer) => (answer.type === 'error' ? answer.code : answer.type))
    expect(types.filter((type) => type === 'message.accepted').length).toBeGreaterThanOrEqual(5)
    expect(types.filter((type) => type === 'rate-limited').length).toBeGreaterThan(0)
    expect(await socket.ask(post())).toMatchObject({ type: 'message.accepted' })
    socket.cut()
  })

  test('one subscription too many is refused; ending one makes room; the same again is none more', async () => {
    const socket = await openSocket(nurse)
    const channels = await Promise.all([1, 2, 3, 4].map(() => addGroup(server, ...people)))
    const ask = (place: number) => socket.ask({ type: 'channel.subscribe', channel: channels[place]?.id ?? '' })
    for (const place of [0, 1, 2, 1]) expect(await ask(place)).toMatchObject({ type: 'channel.subscribed' })
    expect(await ask(3)).toMatchObject({ type: 'error', code: 'rate-limited' })
    await socket.ask({ type: 'channel.unsubscribe', channel: channels[0]?.id ?? '' })
    expect(await ask(3)).toMatchObject({ type: 'channel.subscribed' })
    socket.cut()
  })

  test('one socket too many closes the oldest with 4409', async () => {
    const person = await signedIn(server, 'riverside/pharmacist.vega')
    const sockets: TestSocket[] = []
    for (let each = 0; each < 5; each += 1) sockets.push(await openSocket(person))
    expect(await sockets[0]?.closing()).toEqual(closing(4409))
    expect(server.ctx.gateway.sockets.ofSession(person.user.tenant.id, person.user.id, sessionOf(person))).toBe(4)
    for (const socket of sockets) socket.cut()
  })
})

function sessionOf(person: Person): string {
  return (JSON.parse(Buffer.from(person.token.split('.')[1] ?? '', 'base64url').toString()) as { sid: string }).sid
}
