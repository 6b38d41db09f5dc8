import { randomUUID } from 'node:crypto'
import { historyPage } from '@wardline/protocol'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { addGroup } from '../_util/channels.ts'
import { type Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket } from '../_util/socket.ts'

/**
 * Mattermost 28073, 23332, 30388, Rocket.Chat 8899, Medplum 4586 and others: what happened to messages while somebody was away,
 * edits, deletes and receipts above all, did not reach them when they came back.
 */
let node: TestServer
let other: TestServer
let nurse: Person
let physician: Person

beforeAll(async () => {
  node = await startTestServer()
  other = await startTestServer({ beside: node })
  nurse = await signedIn(node, 'riverside/nurse.lind')
  physician = await signedIn(node, 'riverside/physician.okafor')
})
afterAll(async () => {
  await other.stop()
  await node.stop()
})

test('P3, R-42: corrections, recalls, acknowledgements and receipts of the time away are there, on the other node too', async () => {
  const { id: channel } = await addGroup(node, 'riverside/nurse.lind', 'riverside/physician.okafor')
  const by = await openSocket(physician)
  const post = async (body: string) => {
    const frame = { type: 'message.post', channel, clientId: randomUUID(), body, ackRequired: true } as const
    const answer = await by.ask(frame)
    if (answer.type !== 'message.accepted') throw new Error(JSON.stringify(answer))
    return answer
  }
  const [corrected, recalled] = [await post('Potassium 6.1'), await post('Bed 4')]
  const held = recalled.seq

  const leaving = await openSocket(nurse)
  await leaving.ask({ type: 'channel.subscribe', channel, after: 0 })
  await leaving.frame('channel.live')
  expect(leaving.events(channel)).toHaveLength(2)
  leaving.cut()

  await by.ask({ type: 'message.correct', message: corrected.message, body: 'Potassium 5.1' })
  await by.ask({ type: 'message.recall', message: recalled.message, reason: 'wrong-patient' })
  const atHome = await openSocket(nurse)
  await atHome.ask({ type: 'message.acknowledge', message: corrected.message })
  await post('Thank you')
  await atHome.ask({ type: 'channel.subscribe', channel })
  by.send({ type: 'receipt.mark', channel, read: held + 4 })
  // Marks are not answered: whoever else is there sees when it is on disk.
  await atHome.frame('receipt.moved', ({ user, read }) => user === physician.user.id && read === held + 4)
  atHome.cut()

  for (const at of [node, other]) {
    const back = await openSocket(nurse, at)
    const subscribed = await back.ask({ type: 'channel.subscribe', channel, after: held })
    await back.frame('channel.live')
    expect(back.events(channel).map(({ seq }) => seq)).toEqual([held + 1, held + 2, held + 3, held + 4])
    expect(back.events(channel).map(({ event }) => event)).toMatchObject([
      { type: 'message.corrected', message: corrected.message, body: 'Potassium 5.1' },
      { type: 'message.recalled', message: recalled.message, reason: 'wrong-patient' },
      { type: 'message.acknowledged', message: corrected.message, by: nurse.user.id },
      { type: 'message.posted', body: 'Thank you' },
    ])
    expect(subscribed).toMatchObject({
      receipts: expect.arrayContaining([expect.objectContaining({ user: physician.user.id, read: held + 4 })]),
    })
    const { items } = historyPage.parse((await nurse.call('GET', `/channels/${channel}/messages`, { at })).body)
    expect(items.slice(-4)).toEqual(back.events(channel))
    back.cut()
  }
  by.cut()
})
