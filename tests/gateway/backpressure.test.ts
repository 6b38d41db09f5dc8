import { randomUUID } from 'node:crypto'
import { DEFAULT_LIMITS, MAX_BODY_LENGTH } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { auditOf } from '../_util/audit.ts'
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
  bodyLength: MAX_BODY_LENGTH,
  bufferBytes: 64 * 1024,
}
const people = ['riverside/nurse.lind', 'riverside/physician.okafor'] as const
let server: TestServer
let nurse: Person
beforeAll(async () => {
  server = await startTestServer({ config: { limits } })
  nurse = await signedIn(server, people[0])
})
afterAll(() => server.stop())

describe('[P8] R-52 a reader that does not read', () => {
  test('is put off while others get everything, and reads on exactly where it was when it thaws', async () => {
    const { busy, writer, frozen, lively, total } = await freeze()
    expect(frozen.events(busy.id).length).toBeLessThan(total)
    frozen.ws.resume()
    await frozen.until(() => frozen.events(busy.id).length === total)
    expect(frozen.events(busy.id).map(({ seq }) => seq)).toEqual(Array.from({ length: total }, (_, place) => place + 1))
    // Live again, and told so a second time.
    await frozen.until(() => frozen.received.filter(({ type }) => type === 'channel.live').length >= 2)
    const next = { type: 'message.post', channel: busy.id, clientId: randomUUID(), body: 'at last' } as const
    expect(await writer.ask(next)).toMatchObject({ seq: total + 1 })
    await frozen.until(() => frozen.events(busy.id).at(-1)?.seq === total + 1)
    for (const socket of [writer, frozen, lively]) socket.cut()
  })

  test('and never does is closed, and can resume on a new socket', async () => {
    const strict = await startTestServer({
      beside: server,
      config: { limits: { ...limits, laggingMs: 500, heartbeatMs: 600_000 } },
    })
    const busy = await addGroup(server, ...people)
    const writer = await openSocket(await signedIn(strict, people[1]))
    const frozen = await openSocket(nurse, strict)
    const { connectionId } = await frozen.frame('session.challenge')
    await frozen.ask({ type: 'channel.subscribe', channel: busy.id, after: 0 })
    await frozen.frame('channel.live')
    frozen.ws.pause()
    const closed = () => auditOf(server, 'riverside', { connection: connectionId, action: 'socket.close' })
    let total = 0
    while ((await closed()).length === 0) total += await postMany(writer, busy)
    expect(await closed()).toMatchObject([{ reason: 'slow-reader' }])
    frozen.cut()
    const again = await openSocket(nurse)
    await again.ask({ type: 'channel.subscribe', channel: busy.id, after: 0 })
    await again.until(() => again.events(busy.id).length === total)
    for (const socket of [writer, again]) socket.cut()
    await strict.stop()
  })
})

/** Posts as much at once as fills buffers soon. Gives how many were accepted: all. */
async function postMany(writer: TestSocket, busy: TestChannel): Promise<number> {
  // Three bytes each in UTF-8: the kernel's own buffers take megabytes before anybody is slow.
  const body = '\u20ac'.repeat(limits.bodyLength)
  const frame = () => ({ type: 'message.post', channel: busy.id, clientId: randomUUID(), body }) as const
  const answers = await Promise.all(Array.from({ length: 20 }, () => writer.ask(frame())))
  return answers.filter(({ type }) => type === 'message.accepted').length
}

/** Of two readers of a busy channel one stops reading, and the other one writes until the server has put the first off. */
async function freeze() {
  const busy = await addGroup(server, ...people)
  const writer = await openSocket(await signedIn(server, people[1]))
  const [frozen, lively] = [await openSocket(nurse), await openSocket(nurse)]
  for (const socket of [frozen, lively]) {
    await socket.ask({ type: 'channel.subscribe', channel: busy.id, after: 0 })
    await socket.frame('channel.live')
  }
  frozen.ws.pause()
  let total = 0
  for (let stuck = 0; stuck < 3; ) {
    total += await postMany(writer, busy)
    await lively.until(() => lively.events(busy.id).length === total)
    stuck = isPutOff(busy) ? stuck + 1 : 0
  }
  return { busy, writer, frozen, lively, total }
}

function isPutOff(channel: TestChannel): boolean {
  const { subscriptions } = server.ctx.gateway.hub.feed(channel.tenantId, channel.id)
  return [...subscriptions].some(({ state }) => state !== 'live')
}
