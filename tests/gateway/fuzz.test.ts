import { randomUUID } from 'node:crypto'
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
  faultsPerMinute: 100_000,
}
let server: TestServer
let nurse: Person
let channel: TestChannel
beforeAll(async () => {
  server = await startTestServer({ config: { limits, preAuth } })
  nurse = await signedIn(server, 'riverside/nurse.lind')
  channel = await addGroup(server, 'riverside/nurse.lind')
})
afterAll(() => server.stop())

/** The server is as it was: it takes a message, and has nothing to report that nobody foresaw. */
async function expectWell(): Promise<void> {
  const socket = await openSocket(nurse)
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

/** What became of a socket: whatever it is, it is in the contract. */
async function outcome(socket: TestSocket): Promise<'closed' | 'alive'> {
  if (socket.ws.readyState === socket.ws.OPEN) socket.ws.ping('end')
  await Promise.race([socket.closing(), new Promise((resolve) => socket.ws.once('pong', resolve))])
  for (const frame of socket.received) expect(frame.type === 'error' ? frame.code : 'no error').not.toBe('internal')
  if (socket.closed === null) return 'alive'
  expect([...Object.keys(CLOSE_CODES).map(Number), 1000, 1001, 1005, 1006]).toContain(socket.closed.code)
  return 'closed'
}

test('[P8] raw bytes, before and after somebody has signed in, close the socket or do nothing', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 2_000 }), fc.boolean(), async (bytes, known) => {
      const socket = known ? await openSocket(nurse) : new TestSocket(server)
      await socket.frame('session.challenge')
      end(socket, bytes)
      await socket.closing()
      expect(socket.received.every(({ type }) => type !== 'session.authenticated' || known)).toBe(true)
      socket.cut()
    }),
    { numRuns: 100 },
  )
  await expectWell()
})

test('[P8] any JSON is a violation or an invalid request, never more', async () => {
  await fc.assert(
    fc.asyncProperty(fc.json({ maxDepth: 4 }), async (text) => {
      const socket = await openSocket(nurse)
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
  const socket = { is: await openSocket(nurse) }
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
        socket.is = await openSocket(nurse)
      }
    }),
    { numRuns: 400 },
  )
  socket.is.cut()
  await expectWell()
})
