import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addPatientChannel } from '../_util/channels.ts'
import { signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket } from '../_util/socket.ts'

let server: TestServer
beforeAll(async () => {
  server = await startTestServer()
})
afterAll(() => server.stop())

test('two people talk about a patient: what one writes the other reads, and the receipt comes back', async () => {
  const channel = await addPatientChannel(server, 'riverside/nurse.lind', 'riverside/physician.okafor')
  const nurse = await openSocket(await signedIn(server, 'riverside/nurse.lind'))
  const physician = await openSocket(await signedIn(server, 'riverside/physician.okafor'))
  const subscribed = await physician.ask({ type: 'channel.subscribe', channel: channel.id, after: 0 })
  expect(subscribed).toMatchObject({ type: 'channel.subscribed', head: 0 })
  await nurse.ask({ type: 'channel.subscribe', channel: channel.id, after: 0 })
  await physician.frame('channel.live')
  const accepted = await nurse.ask({
    type: 'message.post',
    channel: channel.id,
    clientId: randomUUID(),
    body: 'Pressure is 90 over 60',
    priority: 'urgent',
  })
  expect(accepted).toMatchObject({ type: 'message.accepted', seq: 1, repeated: false })
  const event = await physician.frame('channel.event')
  expect(event).toMatchObject({
    seq: 1,
    event: { type: 'message.posted', body: 'Pressure is 90 over 60', priority: 'urgent' },
  })
  physician.send({ type: 'receipt.mark', channel: channel.id, delivered: 1, read: 1 })
  const moved = await nurse.frame('receipt.moved')
  expect(moved).toMatchObject({ delivered: 1, read: 1, user: server.users.get('riverside/physician.okafor') })
  physician.send({ type: 'typing.set', channel: channel.id, active: true })
  expect(await nurse.frame('typing.changed')).toMatchObject({ active: true })
  nurse.cut()
  physician.cut()
})
