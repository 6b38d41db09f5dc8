import { randomUUID } from 'node:crypto'
import { SOCKET_PATH } from '@wardline/protocol'
import { expect, test } from 'vitest'
import { addGroup } from '../_util/channels.ts'
import { call } from '../_util/https.ts'
import { signedIn } from '../_util/person.ts'
import { startTestServer } from '../_util/server.ts'
import { openSocket, TestSocket } from '../_util/socket.ts'

test('a node that stops says so, commits what was posted, closes one after the other and loses nothing', async () => {
  const staying = await startTestServer()
  const leaving = await startTestServer({ beside: staying })
  const people = ['riverside/nurse.lind', 'riverside/physician.okafor'] as const
  const channel = await addGroup(staying, ...people)
  const [nurse, physician] = [await signedIn(staying, people[0]), await signedIn(staying, people[1])]
  const stranger = new TestSocket(leaving)
  await stranger.frame('session.challenge')
  const sockets = [await openSocket(nurse, leaving), await openSocket(physician, leaving)]
  const clientIds = Array.from({ length: 40 }, () => randomUUID())
  const ids = clientIds.map((clientId) =>
    sockets[0]!.send({ type: 'message.post', channel: channel.id, clientId, body: 'x' }),
  )
  await sockets[0]!.answer(ids[0]!)
  const stopped = leaving.ctx.gateway.drain(200)
  expect(await stranger.closing()).toMatchObject({ code: 1012 })
  for (const socket of sockets) {
    const { reconnectAfterMs } = await socket.frame('server.draining')
    expect(reconnectAfterMs).toBeLessThanOrEqual(5_000)
  }
  const refused = await call(leaving, { path: SOCKET_PATH, headers: { origin: leaving.url } })
  expect(refused.status).toBe(503)
  for (const socket of sockets) expect(await socket.closing()).toEqual({ code: 1012, reason: 'restarting' })
  await stopped
  // Whatever was acknowledged is there; what was not can be posted again, and is there once.
  const again = await openSocket(nurse)
  const answers = await Promise.all(
    clientIds.map((clientId) => again.ask({ type: 'message.post', channel: channel.id, clientId, body: 'x' })),
  )
  const acknowledged = sockets[0]!.received.filter((frame) => frame.type === 'message.accepted')
  for (const before of acknowledged) {
    const now = answers.find((answer) => answer.type === 'message.accepted' && answer.clientId === before.clientId)
    expect(now).toMatchObject({ message: before.message, seq: before.seq, repeated: true })
  }
  expect(answers.map((answer) => 'seq' in answer && answer.seq).sort((a, b) => Number(a) - Number(b))).toEqual(
    clientIds.map((_, place) => place + 1),
  )
  again.cut()
  await leaving.stop()
  await staying.stop()
})
