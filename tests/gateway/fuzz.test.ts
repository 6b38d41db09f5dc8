import { randomUUID } from 'node:crypto'
import tls from 'node:tls'
import {
  CLIENT_FRAME_TYPES,
  CLOSE_CODES,
  DEFAULT_LIMITS,
  DEFAULT_PRE_AUTH,
  ERRORS,
  type ServerFrame,
} from '@wardline/protocol'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addGroup, type TestChannel } from '../_util/channels.ts'
import { type Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket, TestSocket } from '../_util/socket.ts'
import { requests, socketBytes } from '../hostile/almost-right.ts'

const limits = {
  ...DEFAULT_LIMITS,
  requestsPerSecond: 100_000,
  requestBurst: 100_000,
  userRequestsPerSecond: 100_000,
  userRequestBurst: 100_000,
  socketsPerUser: 1_000,
}
const preAuth = {
  ...DEFAULT_PRE_AUTH,
  pendingSocketsPerAddress: 10_000,
  pendingSockets: 10_000,
  connectionsPerMinute: 100_000,
  signInsPerMinute: 1_000,
  refreshesPerMinute: 1_000,
  waitingSignIns: 100,
  faultsPerMinute: 1_000_000,
  handshakesPerMinute: 1_000_000,
  callsPerMinute: 1_000_000,
}
let server: TestServer
let nurse: Person
let channel: TestChannel
let signedInAt = 0
beforeAll(async () => {
  server = await startTestServer({ config: { limits, preAuth } })
  nurse = await signedIn(server, 'riverside/nurse.lind')
  signedInAt = Date.now()
  channel = await addGroup(server, 'riverside/nurse.lind')
})
afterAll(() => server.stop())

/** A socket of the nurse's: an hour of this outlives every token. */
async function nurseSocket(): Promise<TestSocket> {
  if (Date.now() > signedInAt + 60_000) {
    nurse = await signedIn(server, 'riverside/nurse.lind')
    signedInAt = Date.now()
  }
  return openSocket(nurse)
}

/** The server is as it was: it takes a message, and has nothing to report that nobody foresaw. */
async function expectWell(): Promise<void> {
  const socket = await nurseSocket()
  const frame = { type: 'message.post', channel: channel.id, clientId: randomUUID(), body: 'still here' } as const
  expect(await socket.ask(frame)).toMatchObject({ type: 'message.accepted' })
  socket.cut()
  expect(server.logged.filter((line) => /\.failed|"level":(50|60)/.test(line))).toEqual([])
}

/** Bytes past the client's own framing, and then no more. */
function end(socket: TestSocket, bytes: Uint8Array): void {
  const { _socket } = socket.ws as unknown as { _socket: { end(bytes: Uint8Array): void } | null }
  _socket?.end(bytes)
}

/** The codes of close frames among these bytes, wherever they begin: the peer's own code is what it is answered with (RFC 6455 §5.5.1). */
function closeCodesIn(bytes: Buffer): number[] {
  return [...bytes.keys()].flatMap((at) => {
    const [first = 0, second = 0, mask1 = 0, mask2 = 0, , , code1, code2] = bytes.subarray(at)
    if ((first & 0x0f) !== 8 || second < 0x82 || code1 === undefined || code2 === undefined) return []
    return ((code1 ^ mask1) << 8) | (code2 ^ mask2)
  })
}

/** What became of a socket: whatever it is, it is in the contract. */
async function outcome(socket: TestSocket): Promise<'closed' | 'alive'> {
  if (socket.ws.readyState === socket.ws.OPEN) socket.ws.ping('end')
  await Promise.race([socket.closing(), new Promise((resolve) => socket.ws.once('pong', resolve))])
  for (const frame of socket.received) expect(frame.type === 'error' ? frame.code : 'no error').not.toBe('internal')
  if (socket.closed === null) return 'alive'
  expect([...Object.keys(CLOSE_CODES).map(Number), 1000, 1001, 1005, 1006]).toContain(socket.closed.code)
  return 'closed'
}

/** In `npm test` seconds of it; `npm run fuzz -- --minutes 60` sets this. A finding is printed with its seed. */
const minutes = Number(process.env['FUZZ_MINUTES'] ?? 0)
const timeLimit = minutes * 60_000
const runs = (few: number) =>
  minutes > 0
    ? { numRuns: 1e9, interruptAfterTimeLimit: timeLimit, skipAllAfterTimeLimit: timeLimit }
    : { numRuns: few }
const timeout = timeLimit + 120_000

test('[P8] raw bytes, before and after somebody has signed in, close the socket or do nothing', {
  timeout,
}, async () => {
  const texts = [
    { type: 'session.authenticate', id: '1', token: 'a.b.c', proof: 'a.b.c' },
    { type: 'message.post', id: '2', channel: channel.id, clientId: randomUUID(), body: 'x' },
    { type: 'channel.subscribe', id: '3', channel: channel.id, after: 0 },
    { type: 'session.renew', id: '4', token: 'a.b.c', proof: 'a.b.c' },
    { type: 'receipt.mark', channel: channel.id, read: 1 },
  ].map((each) => JSON.stringify(each))
  await fc.assert(
    fc.asyncProperty(socketBytes(texts), fc.boolean(), async (bytes, known) => {
      const socket = known ? await nurseSocket() : new TestSocket(server)
      await socket.frame('session.challenge')
      end(socket, bytes)
      await socket.closing()
      expect(socket.received.every(({ type }) => type !== 'session.authenticated' || known)).toBe(true)
      const ours = [...Object.keys(CLOSE_CODES).map(Number), 1000, 1001, 1005, 1006]
      expect([...ours, ...closeCodesIn(bytes)]).toContain(socket.closed?.code)
      socket.cut()
    }),
    runs(100),
  )
  await expectWell()
})

test('[P8] R-50 R-54 requests that are almost right, in any pieces, get answers of the table or none', {
  timeout,
}, async () => {
  const statuses = new Set([100, 101, 200, 204, ...Object.values(ERRORS).map(({ status }) => status)])
  statuses.delete(ERRORS.internal.status)
  await fc.assert(
    fc.asyncProperty(requests(server.url), fc.array(fc.nat(400), { maxLength: 3 }), async (bytes, cuts) => {
      const said = await saidTo(bytes, cuts)
      for (const [, status] of said.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)) expect(statuses, said).toContain(Number(status))
      expect(said).not.toMatch(/node_modules|\.ts:|SELECT |at \w+ \(/)
      // What is refused is said in one form.
      for (const [, type] of said.matchAll(/^HTTP\/1\.1 4\d\d [^]*?^content-type: (.*)\r$/gim))
        expect(type).toBe('application/problem+json; charset=utf-8')
    }),
    runs(150),
  )
  expect(server.ctx.gateway.door.unknown).toBeLessThan(20)
  await expectWell()
})

/** Sends the bytes in pieces that end at `cuts`, and then no more; gives everything that comes back. */
async function saidTo(bytes: Buffer, cuts: readonly number[]): Promise<string> {
  const socket = tls.connect({
    port: Number(new URL(server.url).port),
    host: '127.0.0.1',
    ca: server.ca,
    servername: 'localhost',
  })
  const chunks: Buffer[] = []
  socket.on('data', (chunk: Buffer) => chunks.push(chunk))
  socket.on('error', () => undefined)
  const closed = new Promise((resolve) => socket.once('close', resolve))
  await Promise.race([new Promise((resolve) => socket.once('secureConnect', resolve)), closed])
  let from = 0
  for (const cut of cuts.toSorted((a, b) => a - b)) {
    if (cut > from && cut < bytes.length)
      await Promise.race([new Promise((resolve) => socket.write(bytes.subarray(from, cut), resolve)), closed])
    from = Math.min(Math.max(from, cut), bytes.length)
  }
  socket.end(bytes.subarray(from))
  await closed
  return Buffer.concat(chunks).toString('latin1')
}

test('[P8] any JSON is a violation or an invalid request, never more', async () => {
  await fc.assert(
    fc.asyncProperty(fc.json({ maxDepth: 4 }), async (text) => {
      const socket = await nurseSocket()
      socket.raw(text)
      expect(await outcome(socket)).toBe('closed')
      expect(socket.closed?.code).toBe(4400)
    }),
    { numRuns: 60 },
  )
  await expectWell()
})

test('[P8] frames that were changed in one place get the answer that the table has for them, and the socket lives', async () => {
  const values = fc.oneof(
    fc.constantFrom<unknown>(
      null,
      true,
      -1,
      0,
      1.5,
      1e308,
      Number.MAX_SAFE_INTEGER + 1,
      '',
      ' ',
      '\u0000',
      '\u202e',
      '\ud800',
      '\u2028',
      [],
      {},
      [[]],
    ),
    fc.string({ unit: 'binary', maxLength: 200 }),
    fc.uuid(),
    fc.jsonValue({ maxDepth: 3 }),
  )
  const good = (id: string) => [
    {
      type: 'message.post',
      id,
      channel: channel.id,
      clientId: randomUUID(),
      body: 'x',
      priority: 'urgent',
      mentions: [nurse.user.id],
    },
    { type: 'message.correct', id, message: randomUUID(), body: 'x' },
    { type: 'message.recall', id, message: randomUUID(), reason: 'duplicate' },
    { type: 'message.acknowledge', id, message: randomUUID(), response: 'seen' },
    { type: 'channel.subscribe', id, channel: channel.id, after: 0 },
    { type: 'channel.unsubscribe', id, channel: channel.id },
    { type: 'receipt.mark', channel: channel.id, read: 1 },
    { type: 'typing.set', channel: channel.id, active: false },
    { type: 'presence.set', id, status: 'busy' },
    { type: 'session.ping', id },
  ]
  const mutation = fc.record({
    frame: fc.nat(9),
    field: fc.nat(8),
    how: fc.constantFrom('replace', 'remove', 'add'),
    name: fc.string({ maxLength: 20 }),
    value: values,
  })
  const socket = { is: await nurseSocket() }
  // An answer that takes the store comes when it comes: perhaps after the next frame.
  const asked = new Set<unknown>([undefined])
  const nextId = () => `f${asked.size}`
  await fc.assert(
    fc.asyncProperty(mutation, async ({ frame, field, how, name, value }) => {
      const changed: Record<string, unknown> = { ...good(nextId())[frame] }
      const names = Object.keys(changed).filter((each) => each !== 'type')
      const chosen = names[field % names.length]!
      if (how === 'replace') changed[chosen] = value
      else if (how === 'remove') delete changed[chosen]
      else changed[name] = value
      const before = socket.is.received.length
      asked.add(changed['id'])
      const type = changed['type']
      socket.is.raw(JSON.stringify(changed))
      const alive = await outcome(socket.is)
      expect(alive).toBe(
        typeof type === 'string' && CLIENT_FRAME_TYPES.has(type) && type !== 'session.authenticate'
          ? 'alive'
          : 'closed',
      )
      const answers = socket.is.received
        .slice(before)
        .filter((each): each is ServerFrame & { type: 'error' } => each.type === 'error')
      for (const { code, message, replyTo } of answers) {
        expect(Object.keys(ERRORS)).toContain(code)
        expect(message).toBe(ERRORS[code].message)
        expect(asked).toContain(replyTo)
      }
      if (alive === 'closed' || answers.length > 0) {
        // Each refusal costs patience: a new socket has all of it.
        socket.is.cut()
        socket.is = await nurseSocket()
      }
    }),
    { numRuns: 400 },
  )
  socket.is.cut()
  await expectWell()
})
