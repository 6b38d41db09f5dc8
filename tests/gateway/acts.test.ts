import { randomUUID } from 'node:crypto'
import { DEFAULT_LIMITS, type ServerFrameOf } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { auditOf } from '../_util/audit.ts'
import { addGroup, addPatientChannel, type TestChannel } from '../_util/channels.ts'
import { type Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket, type TestSocket } from '../_util/socket.ts'

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
let patient: TestChannel
beforeAll(async () => {
  server = await startTestServer({ config: { limits } })
  patient = await addPatientChannel(server, 'riverside/nurse.lind', 'riverside/physician.okafor')
  nurse = await signedIn(server, 'riverside/nurse.lind')
  physician = await signedIn(server, 'riverside/physician.okafor')
})
afterAll(() => server.stop())

async function reading(person: Person, channel = patient.id): Promise<TestSocket> {
  const socket = await openSocket(person)
  await socket.ask({ type: 'channel.subscribe', channel, after: 0 })
  await socket.frame('channel.live')
  return socket
}

async function post(socket: TestSocket, more: object = {}): Promise<ServerFrameOf<'message.accepted'>> {
  const frame = { type: 'message.post', channel: patient.id, clientId: randomUUID(), body: 'text', ...more } as const
  const answer = await socket.ask(frame)
  if (answer.type !== 'message.accepted') throw new Error(JSON.stringify(answer))
  return answer
}

const eventAt = (socket: TestSocket, seq: number) =>
  socket.frame('channel.event', (frame) => frame.channel === patient.id && frame.seq === seq)

describe('R-45 what was said', () => {
  test('is corrected by who said it, and both texts are read again from the store', async () => {
    const [mine, theirs] = [await reading(nurse), await reading(physician)]
    const { message } = await post(mine, { body: 'Give 50 mg', priority: 'stat', intent: 'action', ackRequired: true })
    const done = await mine.ask({ type: 'message.correct', message, body: 'Give 5 mg' })
    expect(done).toMatchObject({ type: 'done', seq: expect.any(Number) })
    const seq = (done as { seq: number }).seq
    const live = await eventAt(theirs, seq)
    expect(live.event).toEqual({ type: 'message.corrected', message, by: nurse.user.id, body: 'Give 5 mg' })
    const late = await reading(physician)
    expect(await eventAt(late, seq)).toEqual(live)
    expect(await eventAt(late, seq - 1)).toEqual(await eventAt(theirs, seq - 1))
    expect((await eventAt(late, seq - 1)).event).toMatchObject({
      body: 'Give 50 mg',
      priority: 'stat',
      ackRequired: true,
    })
    expect(await theirs.ask({ type: 'message.correct', message, body: 'x' })).toMatchObject({ code: 'forbidden' })
    const [event] = await auditOf(server, 'riverside', { action: 'message.correct', outcome: 'allowed', message })
    expect(event).toMatchObject({ actor: nurse.user.id, channel: patient.id, patient: patient.patientId })
    for (const socket of [mine, theirs, late]) socket.cut()
  })

  test('is not corrected once it was recalled, and nobody is mentioned who is nobody here', async () => {
    const socket = await reading(nurse)
    const { message } = await post(socket)
    await socket.ask({ type: 'message.recall', message, reason: 'wrong-patient' })
    const late = await socket.ask({ type: 'message.correct', message, body: 'x' })
    expect(late).toMatchObject({ type: 'error', code: 'conflict' })
    const [event] = await auditOf(server, 'riverside', { action: 'message.correct', outcome: 'refused', message })
    expect(event).toMatchObject({ reason: 'recalled' })
    const stranger = await signedIn(server, 'lakeside/physician.haddad')
    for (const nobody of [stranger.user.id, randomUUID()]) {
      const mentions = [physician.user.id, nobody]
      await expect(post(socket, { mentions })).rejects.toThrow('not-found')
    }
    socket.cut()
  })

  test('is recalled once, for a reason of the list, and the reason is audited', async () => {
    const socket = await reading(nurse)
    const { message } = await post(socket)
    const first = await socket.ask({ type: 'message.recall', message, reason: 'wrong-patient' })
    const again = await socket.ask({ type: 'message.recall', message, reason: 'wrong-patient' })
    expect(again).toEqual({ ...first, replyTo: expect.any(String) })
    expect(await socket.ask({ type: 'message.recall', message, reason: 'duplicate' })).toMatchObject({
      code: 'conflict',
    })
    const seq = (first as { seq: number }).seq
    expect((await eventAt(socket, seq)).event).toMatchObject({ type: 'message.recalled', reason: 'wrong-patient' })
    const [event] = await auditOf(server, 'riverside', { action: 'message.recall', outcome: 'allowed', message })
    expect(event?.reason).toBe('wrong-patient')
    socket.cut()
  })

  test('is acknowledged by others, each answer once', async () => {
    const [mine, theirs] = [await reading(nurse), await reading(physician)]
    const { message } = await post(mine, { ackRequired: true })
    const seen = await theirs.ask({ type: 'message.acknowledge', message })
    const later = await theirs.ask({ type: 'message.acknowledge', message, response: 'on-my-way' })
    expect([seen, later].map(({ type }) => type)).toEqual(['done', 'done'])
    expect(later).not.toMatchObject({ seq: (seen as { seq: number }).seq })
    const repeated = await theirs.ask({ type: 'message.acknowledge', message, response: 'on-my-way' })
    expect(repeated).toMatchObject({ seq: (later as { seq: number }).seq })
    expect((await eventAt(mine, (later as { seq: number }).seq)).event).toEqual({
      type: 'message.acknowledged',
      message,
      by: physician.user.id,
      response: 'on-my-way',
    })
    expect(await mine.ask({ type: 'message.acknowledge', message })).toMatchObject({ code: 'forbidden' })
    for (const socket of [mine, theirs]) socket.cut()
  })

  test('can be replied to within its channel alone, and names no attachment or role address that is not there', async () => {
    const socket = await reading(nurse)
    const other = await addGroup(server, 'riverside/nurse.lind')
    const { message, seq } = await post(socket, { mentions: [physician.user.id] })
    const reply = await post(socket, { inReplyTo: message })
    expect(reply.seq).toBe(seq + 1)
    expect((await eventAt(socket, seq)).event).toMatchObject({ mentions: [physician.user.id], to: [] })
    const elsewhere = { type: 'message.post', channel: other.id, clientId: randomUUID(), body: 'x' } as const
    expect(await socket.ask({ ...elsewhere, inReplyTo: message })).toMatchObject({ code: 'not-found' })
    expect(await socket.ask({ ...elsewhere, attachments: [randomUUID()] })).toMatchObject({ code: 'not-found' })
    expect(await socket.ask({ ...elsewhere, to: ['mrs-jones-in-bed-3'] })).toMatchObject({ code: 'not-found' })
    socket.cut()
  })
})

describe('R-37 the tenant wall, and the walls within', () => {
  test.each([
    ['somebody of another organisation', 'lakeside/physician.haddad'],
    ['an administrator', 'riverside/admin.reyes'],
    ['an auditor', 'riverside/auditor.chen'],
    ['a colleague who does not care for the patient', 'riverside/pharmacist.vega'],
  ])('%s finds neither channel nor message, and each attempt is audited', async (_, who) => {
    const mine = await reading(nurse)
    const { message } = await post(mine)
    const stranger = await openSocket(await signedIn(server, who))
    const { connectionId } = await stranger.frame('session.challenge')
    const nowhere = randomUUID()
    const attempts = (channel: string, about: string) =>
      [
        { type: 'channel.subscribe', channel, after: 0 },
        { type: 'message.post', channel, clientId: randomUUID(), body: 'x' },
        { type: 'message.correct', message: about, body: 'x' },
        { type: 'message.recall', message: about, reason: 'duplicate' },
        { type: 'message.acknowledge', message: about },
      ] as const
    for (const [place, frame] of attempts(patient.id, message).entries()) {
      const answer = await stranger.ask(frame)
      expect(answer).toMatchObject({ type: 'error', code: 'not-found' })
      // The same as for what is not there at all.
      const absent = await stranger.ask(attempts(nowhere, nowhere)[place]!)
      expect({ ...absent, replyTo: '' }).toEqual({ ...answer, replyTo: '' })
    }
    stranger.send({ type: 'receipt.mark', channel: patient.id, read: 1 })
    stranger.send({ type: 'typing.set', channel: patient.id, active: true })
    await stranger.until(() => stranger.received.filter(({ type }) => type === 'error').length >= 12)
    expect(stranger.received.filter((frame) => 'channel' in frame)).toEqual([])
    expect(mine.received.filter(({ type }) => type === 'typing.changed' || type === 'receipt.moved')).toEqual([])
    const [slug = ''] = who.split('/')
    await expect
      .poll(async () => (await auditOf(server, slug, { connection: connectionId, outcome: 'refused' })).length)
      .toBeGreaterThanOrEqual(7)
    for (const socket of [mine, stranger]) socket.cut()
  })
})

describe('audit', () => {
  test('[P2] every accepted message has its event, with who, where and by what right, and not what was said', async () => {
    const socket = await reading(nurse)
    const { connectionId } = await socket.frame('session.challenge')
    const { message } = await post(socket, { body: 'canary-7c1e text that is nowhere else' })
    const [event] = await auditOf(server, 'riverside', { message, action: 'message.post' })
    expect(event).toMatchObject({
      outcome: 'allowed',
      reason: 'care-team',
      actor: nurse.user.id,
      device: nurse.key.jkt,
      connection: connectionId,
      channel: patient.id,
      patient: patient.patientId,
      address: '127.0.0.1',
      origin: server.url,
    })
    const rows = await server.database.query<{ text: string }>(
      `SELECT encode(event, 'escape') AS text FROM audit_outbox UNION ALL SELECT encode(body, 'escape') FROM channel_events`,
    )
    expect(rows.filter(({ text }) => text?.includes('canary-7c1e'))).toEqual([])
    expect(server.logged.filter((line) => line.includes('canary-7c1e'))).toEqual([])
    const subscribes = await auditOf(server, 'riverside', { connection: connectionId, action: 'channel.subscribe' })
    expect(subscribes).toMatchObject([{ outcome: 'allowed', reason: 'care-team', channel: patient.id, seq: 0 }])
    socket.ws.close(1000, 'my own words')
    await expect
      .poll(() => auditOf(server, 'riverside', { connection: connectionId, action: 'socket.close' }))
      .toMatchObject([{ reason: 'closed-by-client' }])
    expect(JSON.stringify(await auditOf(server, 'riverside', { connection: connectionId }))).not.toContain('my own')
  })

  test('a close of the client’s is answered with its code, and not with its words', async () => {
    const socket = await openSocket(nurse)
    socket.ws.close(1000, 'my own words')
    expect(await socket.closing()).toEqual({ code: 1000, reason: '' })
  })

  test('reading on is audited as reading; delivered alone is not', async () => {
    const [mine, theirs] = [await reading(nurse), await reading(physician)]
    const { seq } = await post(mine)
    theirs.send({ type: 'receipt.mark', channel: patient.id, delivered: seq })
    await mine.frame('receipt.moved', ({ delivered, read }) => delivered === seq && read < seq)
    theirs.send({ type: 'receipt.mark', channel: patient.id, read: seq })
    await mine.frame('receipt.moved', ({ read }) => read === seq)
    const marks = await auditOf(server, 'riverside', {
      action: 'receipt.mark',
      actor: physician.user.id,
      outcome: 'allowed',
    })
    expect(marks).toMatchObject([{ seq, channel: patient.id, patient: patient.patientId }])
    for (const socket of [mine, theirs]) socket.cut()
  })
})

test('the inbox tells of channels that are not subscribed to, and of urgency', async () => {
  const group = await addGroup(server, 'riverside/nurse.lind', 'riverside/physician.okafor')
  const [mine, theirs] = [await openSocket(nurse), await openSocket(physician)]
  for (const priority of ['routine', 'urgent', 'stat'] as const) {
    await mine.ask({ type: 'message.post', channel: group.id, clientId: randomUUID(), body: 'x', priority })
  }
  const changed = await theirs.frame('inbox.changed', ({ channel, head }) => channel === group.id && head === 3)
  expect(changed).toEqual({ type: 'inbox.changed', channel: group.id, head: 3, unread: 3, urgent: 2 })
  const own = await mine.frame('inbox.changed', ({ channel, head }) => channel === group.id && head === 3)
  expect(own).toMatchObject({ unread: 0, urgent: 0 })
  theirs.send({ type: 'receipt.mark', channel: group.id, read: 3 })
  await theirs.frame('inbox.changed', ({ channel, unread }) => channel === group.id && unread === 0)
  for (const socket of [mine, theirs]) socket.cut()
})
