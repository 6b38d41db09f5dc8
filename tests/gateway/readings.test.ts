import { randomUUID } from 'node:crypto'
import { DEFAULT_LIMITS } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { addGroup, type TestChannel } from '../_util/channels.ts'
import { type Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket, type TestSocket } from '../_util/socket.ts'

/** More than one page of the store. */
const MESSAGES = 250

const limits = {
  ...DEFAULT_LIMITS,
  requestsPerSecond: 10_000,
  requestBurst: 10_000,
  userRequestsPerSecond: 10_000,
  userRequestBurst: 10_000,
}
let server: TestServer
let nurse: Person
let physician: Person
let channels: readonly TestChannel[]
beforeAll(async () => {
  server = await startTestServer({ config: { limits } })
  nurse = await signedIn(server, 'riverside/nurse.lind')
  physician = await signedIn(server, 'riverside/physician.okafor')
  const people = ['riverside/nurse.lind', 'riverside/physician.okafor'] as const
  channels = await Promise.all([1, 2, 3].map(() => addGroup(server, ...people)))
  const socket = await openSocket(physician)
  for (const { id: channel } of channels) {
    for (let seq = 1; seq <= MESSAGES; seq += 50) {
      await Promise.all(
        Array.from({ length: 50 }, () =>
          socket.ask({ type: 'message.post', channel, clientId: randomUUID(), body: 'text' }),
        ),
      )
    }
  }
  socket.cut()
})
afterAll(() => server.stop())

/** While whoever reads messages is kept waiting. `begun`: after which sequence each wants to read. */
async function whileStuck(run: (begun: readonly number[]) => Promise<void>): Promise<void> {
  const { database } = server.ctx
  const read = database.readEvents
  const { promise: released, resolve: go } = Promise.withResolvers<void>()
  const begun: number[] = []
  const spy = vi.spyOn(database, 'readEvents').mockImplementation(async (tenant, channel, after, limit) => {
    begun.push(after)
    await released
    return read(tenant, channel, after, limit)
  })
  try {
    await run(begun)
  } finally {
    go()
    spy.mockRestore()
  }
}

const subscribeAll = (socket: TestSocket, after: number) =>
  Promise.all(channels.map(({ id: channel }) => socket.ask({ type: 'channel.subscribe', channel, after })))

describe('R-51 readings of the store', () => {
  test('are one at a time for all sockets of a user, nobody else waits for them, and each socket gets all of it in order', async () => {
    const sockets = await Promise.all(Array.from({ length: 4 }, () => openSocket(nurse)))
    const other = await openSocket(physician)
    await whileStuck(async (begun) => {
      // From another place each, so that none is served by the reading of another.
      for (const [after, socket] of sockets.entries()) await subscribeAll(socket, after)
      // Whoever is answered has asked for what is behind it.
      for (const socket of sockets) await socket.ask({ type: 'session.ping' })
      expect(begun).toEqual([0])
      await other.ask({ type: 'channel.subscribe', channel: channels[0]?.id ?? '', after: 5 })
      await other.ask({ type: 'session.ping' })
      expect(begun).toEqual([0, 5])
    })
    for (const [after, socket] of sockets.entries()) {
      for (const { id } of channels) {
        await socket.frame('channel.live', ({ channel }) => channel === id)
        const sequences = Array.from({ length: MESSAGES - after }, (_, place) => after + 1 + place)
        expect(socket.events(id).map(({ seq }) => seq)).toEqual(sequences)
      }
    }
    for (const socket of [...sockets, other]) socket.cut()
  })
})
