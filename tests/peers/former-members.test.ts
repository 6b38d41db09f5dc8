import { randomUUID } from 'node:crypto'
import { channelSummary, page, patientSummary } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { addGroup, addPatientChannel, endCare, type TestChannel } from '../_util/channels.ts'
import { type Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket, type TestSocket } from '../_util/socket.ts'

/**
 * Synapse CVE-2024-53867: who had left a room went on receiving its state. Here the state is typing, presence, receipts, the
 * inbox, who belongs to it, and what is done to messages, on whichever node.
 */
const [leaves, stays, third] = ['riverside/nurse.lind', 'riverside/physician.okafor', 'riverside/pharmacist.vega']
let node: TestServer
let other: TestServer
let nurse: Person
let physician: Person
let pharmacist: Person

beforeAll(async () => {
  node = await startTestServer()
  other = await startTestServer({ beside: node })
  ;[nurse, physician, pharmacist] = await Promise.all([
    signedIn(node, leaves),
    signedIn(node, stays),
    signedIn(node, third),
  ])
})
afterAll(async () => {
  await other.stop()
  await node.stop()
})

const subscribe = async (socket: TestSocket, channel: TestChannel) => {
  await socket.ask({ type: 'channel.subscribe', channel: channel.id, after: 0 })
  await socket.frame('channel.live', (frame) => frame.channel === channel.id)
}

/** Everything that one does in a channel, and when somebody else has seen all of it. */
async function doEverything(by: TestSocket, witness: TestSocket, { id: channel }: TestChannel): Promise<string[]> {
  const post = {
    type: 'message.post',
    channel,
    clientId: randomUUID(),
    body: 'Potassium 6.1',
    priority: 'stat',
  } as const
  const posted = await by.ask(post)
  if (posted.type !== 'message.accepted') throw new Error(JSON.stringify(posted))
  const { message, seq } = posted
  await by.ask({ type: 'message.correct', message, body: 'Potassium 5.1' })
  await by.ask({ type: 'message.recall', message, reason: 'wrong-patient' })
  await witness.ask({ type: 'message.acknowledge', message })
  by.send({ type: 'receipt.mark', channel, delivered: seq, read: seq })
  by.send({ type: 'typing.set', channel, active: true })
  await by.ask({ type: 'presence.set', status: 'busy' })
  await witness.frame('channel.event', (frame) => frame.channel === channel && frame.seq === seq + 2)
  await witness.frame('typing.changed', (frame) => frame.channel === channel)
  await witness.frame('receipt.moved', (frame) => frame.channel === channel && frame.user === physician.user.id)
  await witness.frame('presence.changed', (frame) => frame.user === physician.user.id)
  return [message, channel, physician.user.id, pharmacist.user.id]
}

describe('P5, R-33: who is no longer of a channel hears nothing of it', () => {
  test.each<[string, () => Promise<TestChannel>, (channel: TestChannel) => Promise<void>]>([
    [
      'a care team that was left',
      () => addPatientChannel(node, leaves, stays, third),
      (channel) => endCare(node, channel, leaves),
    ],
    ['a group that was left', () => addGroup(node, leaves, stays, third), leaveGroup],
  ])('%s: no message, typing, receipt, presence or inbox, on either node', async (_name, made, end) => {
    const channel = await made()
    const [here, there] = [await openSocket(nurse), await openSocket(nurse, other)]
    const [by, witness] = [await openSocket(physician), await openSocket(pharmacist, other)]
    for (const socket of [here, there, by, witness]) await subscribe(socket, channel)
    const inbox = await openSocket(pharmacist, other)
    await end(channel)
    for (const socket of [here, there]) await socket.frame('channel.closed', (frame) => frame.channel === channel.id)
    const before = [here.received.length, there.received.length]
    const told = await doEverything(by, witness, channel)
    await inbox.frame('inbox.changed', (frame) => frame.channel === channel.id && frame.head >= 4)
    for (const [place, socket] of [here, there].entries()) {
      expect(await socket.ask({ type: 'session.ping' })).toMatchObject({ type: 'done' })
      const heard = JSON.stringify(socket.received.slice(before[place]))
      for (const id of told) expect(heard).not.toContain(id)
    }
    for (const at of [node, other]) {
      const lists = [page(channelSummary), page(patientSummary)] as const
      const answers = [await nurse.call('GET', '/channels', { at }), await nurse.call('GET', '/patients', { at })]
      for (const [place, list] of lists.entries()) {
        const { items } = list.parse(answers[place]?.body)
        expect(items.map(({ id }) => id)).not.toContain(place === 0 ? channel.id : channel.patientId)
      }
      for (const path of [`/channels/${channel.id}`, `/channels/${channel.id}/messages`])
        expect((await nurse.call('GET', path, { at })).status).toBe(404)
    }
    for (const socket of [here, there, by, witness, inbox]) socket.cut()
  })
})

/** As the store has it when somebody has left; there is no call for it yet. */
async function leaveGroup({ id, tenantId }: TestChannel): Promise<void> {
  const { database, access } = node.ctx
  await database.withTenant(tenantId, async ({ db, at, audit }) => {
    const userId = nurse.user.id
    await db.channelMember.updateMany({ where: { tenantId, channelId: id, userId }, data: { leftAt: new Date(at) } })
    await db.user.update({ where: { tenantId_id: { tenantId, id: userId } }, data: { version: { increment: 1 } } })
    audit({ action: 'member.leave', outcome: 'allowed' })
  })
  access.changed(tenantId, nurse.user.id)
}
