import { randomUUID } from 'node:crypto'
import { DEFAULT_LIMITS, type ServerFrameOf } from '@wardline/protocol'
import * as fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { silentBus } from '../../apps/server/src/bus/bus.ts'
import { addGroup, type TestChannel } from '../_util/channels.ts'
import { type Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket, type TestSocket } from '../_util/socket.ts'

const limits = {
  ...DEFAULT_LIMITS,
  requestsPerSecond: 100_000,
  requestBurst: 100_000,
  userRequestsPerSecond: 100_000,
  userRequestBurst: 100_000,
  socketsPerUser: 1_000,
  inFlight: 1_000,
}
const people = ['riverside/nurse.lind', 'riverside/physician.okafor'] as const

type Nodes = { readonly nodes: readonly [TestServer, TestServer]; readonly persons: readonly Person[] }

async function twoNodes(options: Parameters<typeof startTestServer>[0] = {}): Promise<Nodes> {
  const first = await startTestServer({ ...options, config: { limits } })
  const second = await startTestServer({ ...options, beside: first, config: { limits } })
  return { nodes: [first, second], persons: [await signedIn(first, people[0]), await signedIn(first, people[1])] }
}

async function stop({ nodes: [first, second] }: Nodes): Promise<void> {
  await second.stop()
  await first.stop()
}

const sequences = (events: readonly ServerFrameOf<'channel.event'>[]) => events.map(({ seq }) => seq)
const upTo = (last: number, after = 0) => Array.from({ length: last - after }, (_, place) => after + 1 + place)

/** A group of the two, of which both nodes know at once: how soon a node learns of it is another test's matter. */
async function groupOf({ nodes, persons }: Nodes): Promise<TestChannel> {
  const channel = await addGroup(nodes[0], ...people)
  for (const { ctx } of nodes) {
    for (const { user } of persons) await ctx.access.load(channel.tenantId, user.id, { fresh: true })
  }
  return channel
}

async function subscribed(socket: TestSocket, channel: TestChannel, after?: number): Promise<void> {
  const frame = { type: 'channel.subscribe', channel: channel.id, ...(after === undefined ? {} : { after }) } as const
  expect(await socket.ask(frame)).toMatchObject({ type: 'channel.subscribed' })
}

function post(socket: TestSocket, channel: TestChannel, body = 'text', clientId: string = randomUUID()) {
  return socket.ask({ type: 'message.post', channel: channel.id, clientId, body })
}

/** A client that is cut at any point of the exchange, and resumes after the last sequence that it holds. */
class ResumingReader {
  socket: TestSocket | null = null
  readonly #channel: TestChannel
  #held: number[] = []
  #after = new Map<string, number>()

  constructor(channel: TestChannel) {
    this.#channel = channel
  }

  /** All sequences so far. What still comes of a subscription that was replaced is before the answer that replaces it. */
  held(): number[] {
    const held = [...this.#held]
    for (const frame of this.socket?.received ?? []) {
      if (frame.type === 'channel.event') held.push(frame.seq)
      if (frame.type === 'channel.subscribed') {
        const after = this.#after.get(frame.replyTo) ?? 0
        while ((held.at(-1) ?? 0) > after) held.pop()
      }
    }
    return held
  }

  cut(): void {
    this.#held = this.held()
    this.socket?.cut()
    this.socket = null
  }

  async resume(person: Person, node: TestServer | undefined): Promise<void> {
    this.cut()
    this.#after = new Map()
    this.socket = await openSocket(person, node)
    this.again()
  }

  /** Not waited for: whatever comes next may come in the middle of it. */
  again(): void {
    if (this.socket === null) return
    const after = this.held().at(-1) ?? 0
    const id = this.socket.send({ type: 'channel.subscribe', channel: this.#channel.id, after })
    this.#after.set(id, after)
  }
}

describe.each([
  ['two nodes that hint at each other', {}],
  ['[P6] two nodes that never hear of each other', { bus: () => silentBus }],
])('%s', (_, options) => {
  let pair: Nodes
  beforeAll(async () => {
    pair = await twoNodes(options)
  })
  afterAll(() => stop(pair))

  test('what is posted on one is read on the other, whole and in order', async () => {
    const channel = await groupOf(pair)
    const [writer, reader] = [
      await openSocket(pair.persons[0]!, pair.nodes[0]),
      await openSocket(pair.persons[1]!, pair.nodes[1]),
    ]
    await subscribed(reader, channel, 0)
    await reader.frame('channel.live')
    const posts = upTo(150).map((each) => post(writer, channel, `message ${each}`))
    expect((await Promise.all(posts)).map((answer) => 'seq' in answer && answer.seq)).toEqual(upTo(150))
    await reader.until(() => reader.events(channel.id).length >= 150)
    expect(sequences(reader.events(channel.id))).toEqual(upTo(150))
    expect(reader.events(channel.id).map(({ event }) => 'body' in event && event.body)).toEqual(
      upTo(150).map((each) => `message ${each}`),
    )
    const changed = await reader.frame('inbox.changed', ({ head }) => head === 150)
    expect(changed).toMatchObject({ channel: channel.id, unread: 150, urgent: 0 })
    for (const socket of [writer, reader]) socket.cut()
  })

  test('[P3] any interleaving of posts, cuts and resumes on both nodes: each event once, in order', async () => {
    const step = fc.oneof(
      {
        weight: 5,
        arbitrary: fc.record({
          do: fc.constant('post' as const),
          on: fc.nat(1),
          many: fc.integer({ min: 1, max: 15 }),
        }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('resume' as const), on: fc.nat(1), reader: fc.nat(2) }) },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('cut' as const), reader: fc.nat(2) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('again' as const), reader: fc.nat(2) }) },
    )
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25, size: 'max' }), async (steps) => {
        const channel = await groupOf(pair)
        const writers = await Promise.all(pair.nodes.map((node) => openSocket(pair.persons[0]!, node)))
        const readers = [0, 1, 2].map(() => new ResumingReader(channel))
        const answers: Promise<unknown>[] = []
        for (const each of steps) {
          if (each.do === 'post') for (let n = 0; n < each.many; n += 1) answers.push(post(writers[each.on]!, channel))
          else if (each.do === 'cut') readers[each.reader]!.cut()
          else if (each.do === 'resume') await readers[each.reader]!.resume(pair.persons[1]!, pair.nodes[each.on])
          else readers[each.reader]!.again()
        }
        await Promise.all(answers)
        for (const reader of readers) {
          await reader.socket?.until(() => reader.held().length >= answers.length, 'everything')
          expect(reader.held()).toEqual(upTo(reader.held().length))
          reader.cut()
        }
        for (const writer of writers) writer.cut()
      }),
      { numRuns: 10, endOnFailure: true },
    )
  })
})

describe('on two nodes over one database', () => {
  let pair: Nodes
  beforeAll(async () => {
    pair = await twoNodes()
  })
  afterAll(() => stop(pair))

  test('[P4] the same client id gives the same message, whichever node is asked and however often at once', async () => {
    const channel = await groupOf(pair)
    const sockets = await Promise.all([0, 1, 0, 1].map((on) => openSocket(pair.persons[0]!, pair.nodes[on])))
    const clientId = randomUUID()
    const answers = await Promise.all(
      sockets.flatMap((socket) => [1, 2, 3].map(() => post(socket, channel, 'once', clientId))),
    )
    const accepted = answers as ServerFrameOf<'message.accepted'>[]
    expect(new Set(accepted.map(({ type, message, seq, at }) => `${type} ${message} ${seq} ${at}`)).size).toBe(1)
    expect(accepted.filter(({ repeated }) => !repeated)).toHaveLength(1)
    expect(await post(sockets[1]!, channel, 'twice', clientId)).toMatchObject({ type: 'error', code: 'conflict' })
    expect(await post(sockets[0]!, channel, 'next')).toMatchObject({ seq: 2, repeated: false })
    const other = await openSocket(pair.persons[1]!)
    expect(await post(other, channel, 'mine', clientId)).toMatchObject({ seq: 3, repeated: false })
    for (const socket of [...sockets, other]) socket.cut()
  })

  test('[P7] what one socket posts is accepted in the order in which it was posted, in unknown channels as well', async () => {
    const channels = await Promise.all([1, 2, 3].map(() => groupOf(pair)))
    const socket = await openSocket(pair.persons[0]!)
    const ids = upTo(90).map((each) =>
      socket.send({
        type: 'message.post',
        channel: channels[each % 3]!.id,
        clientId: randomUUID(),
        body: `${each}`,
      }),
    )
    // More than may be in flight at once: the rest is refused, and says so.
    const answers = await Promise.all(ids.map((id) => socket.answer(id)))
    const accepted = answers.filter((answer) => answer.type === 'message.accepted')
    expect(accepted.length).toBeGreaterThanOrEqual(64)
    const order = socket.received.filter((frame) => frame.type === 'message.accepted').map(({ replyTo }) => replyTo)
    expect(order).toEqual(ids.filter((id) => order.includes(id)))
    for (const channel of channels) {
      const inChannel = accepted.filter((answer) => answer.channel === channel.id)
      expect(inChannel.map(({ seq }) => seq)).toEqual(upTo(inChannel.length))
    }
    socket.cut()
  })

  test('receipts, typing and presence reach the other node; the sign of typing not oneself', async () => {
    const channel = await groupOf(pair)
    const [nurse, physician] = [
      await openSocket(pair.persons[0]!, pair.nodes[0]),
      await openSocket(pair.persons[1]!, pair.nodes[1]),
    ]
    for (const socket of [nurse, physician]) {
      await subscribed(socket, channel, 0)
      await socket.frame('channel.live')
    }
    await post(nurse, channel)
    physician.send({ type: 'receipt.mark', channel: channel.id, read: 99 })
    expect(await nurse.frame('receipt.moved')).toEqual({
      type: 'receipt.moved',
      channel: channel.id,
      user: pair.persons[1]!.user.id,
      delivered: 1,
      read: 1,
    })
    physician.send({ type: 'receipt.mark', channel: channel.id, read: 0, delivered: 1 })
    physician.send({ type: 'typing.set', channel: channel.id, active: true })
    await nurse.frame('typing.changed', ({ active }) => active)
    physician.send({ type: 'typing.set', channel: channel.id, active: false })
    await nurse.frame('typing.changed', ({ active }) => !active)
    expect(physician.received.some(({ type }) => type === 'typing.changed')).toBe(false)
    const until = new Date(Date.now() + 3_600_000).toISOString()
    const presence = { status: 'busy', cover: pair.persons[0]!.user.id, until } as const
    expect(await physician.ask({ type: 'presence.set', ...presence })).toMatchObject({ type: 'done' })
    expect(await nurse.frame('presence.changed')).toMatchObject({ user: pair.persons[1]!.user.id, ...presence })
    const late = await openSocket(pair.persons[0]!, pair.nodes[0])
    await subscribed(late, channel, 0)
    expect(await late.frame('presence.changed')).toMatchObject(presence)
    expect((await late.frame('channel.subscribed')).receipts).toMatchObject([{ delivered: 1, read: 1 }])
    // One receipt, once: marks that move nothing tell nobody.
    expect(nurse.received.filter(({ type }) => type === 'receipt.moved')).toHaveLength(1)
    for (const socket of [nurse, physician, late]) socket.cut()
  })

  test('a subscription says where it begins: from now on, from the beginning, or nowhere', async () => {
    const channel = await groupOf(pair)
    const socket = await openSocket(pair.persons[0]!)
    for (let each = 0; each < 5; each += 1) await post(socket, channel)
    await subscribed(socket, channel)
    expect(await socket.frame('channel.live')).toMatchObject({ seq: 5 })
    expect(socket.events(channel.id)).toEqual([])
    await post(socket, channel)
    await socket.frame('channel.event', ({ seq }) => seq === 6)
    await subscribed(socket, channel, 3)
    await socket.until(() => socket.events(channel.id).length === 4)
    expect(sequences(socket.events(channel.id))).toEqual([6, 4, 5, 6])
    const beyond = await socket.ask({ type: 'channel.subscribe', channel: channel.id, after: 7 })
    expect(beyond).toMatchObject({ type: 'error', code: 'conflict' })
    expect(await socket.ask({ type: 'channel.unsubscribe', channel: channel.id })).toMatchObject({ type: 'done' })
    await post(socket, channel)
    await socket.ask({ type: 'session.ping' })
    expect(socket.events(channel.id)).toHaveLength(4)
    socket.cut()
  })
})
