import { randomUUID } from 'node:crypto'
import { type ChannelSummary, channelSummary, page, type ServerFrame, type ServerFrameOf } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { auditOf } from '../_util/audit.ts'
import { addPatient } from '../_util/patients.ts'
import { type Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket, type TestSocket } from '../_util/socket.ts'

let server: TestServer
let nurse: Person
let physician: Person
beforeAll(async () => {
  server = await startTestServer()
  nurse = await signedIn(server, 'riverside/nurse.lind')
  physician = await signedIn(server, 'riverside/physician.okafor')
})
afterAll(() => server.stop())

const idOf = (who: string) => server.users.get(`riverside/${who}`) ?? ''
const channels = page(channelSummary)

async function inbox(person: Person, query = ''): Promise<{ items: ChannelSummary[]; next: string | null }> {
  const answer = await person.call('GET', `/channels${query}`)
  expect(answer.status).toBe(200)
  return channels.parse(answer.body)
}

async function open(person: Person, body: unknown): Promise<{ status: number; channel: ChannelSummary }> {
  const answer = await person.call('POST', '/channels', { body })
  expect([200, 201]).toContain(answer.status)
  return { status: answer.status, channel: channelSummary.parse(answer.body) }
}

function post(socket: TestSocket, channel: string, rest: object = {}) {
  return socket.ask({ type: 'message.post', channel, clientId: randomUUID(), body: 'Words', ...rest })
}

async function accepted(answer: Promise<ServerFrame>): Promise<ServerFrameOf<'message.accepted'>> {
  const frame = await answer
  if (frame.type !== 'message.accepted') throw new Error(`not accepted: ${frame.type}`)
  return frame
}

describe('POST /channels', () => {
  it('a conversation of two: one for the pair, whoever opens it and however often', async () => {
    const first = await open(nurse, { kind: 'direct', member: idOf('physician.okafor') })
    expect(first.status).toBe(201)
    expect(first.channel).toMatchObject({
      kind: 'direct',
      title: null,
      patient: null,
      with: [{ user: idOf('physician.okafor'), displayName: 'Dr. Chidi Okafor', title: 'Internal medicine' }],
      head: 0,
      unread: 0,
      lastAt: null,
    })
    expect(first.channel.abilities).toContain('message.post')
    const again = await open(nurse, { kind: 'direct', member: idOf('physician.okafor') })
    const back = await open(physician, { kind: 'direct', member: idOf('nurse.lind') })
    expect([again.status, back.status]).toEqual([200, 200])
    expect([again.channel.id, back.channel.id]).toEqual([first.channel.id, first.channel.id])
    expect(back.channel.with).toMatchObject([{ user: idOf('nurse.lind') }])
    const events = await auditOf(server, 'riverside', { action: 'channel.create-direct', channel: first.channel.id })
    expect(events.map(({ outcome }) => outcome)).toEqual(['allowed', 'repeated', 'repeated'])
  })

  it('opened ten times at once it is still one', async () => {
    const body = { kind: 'direct', member: idOf('pharmacist.vega') }
    const opened = await Promise.all(Array.from({ length: 10 }, () => open(nurse, body)))
    expect(new Set(opened.map(({ channel }) => channel.id)).size).toBe(1)
    expect(opened.filter(({ status }) => status === 201)).toHaveLength(1)
  })

  it('a group: its title is sealed, everybody in it has joined, and may read and write at once', async () => {
    const title = 'Canary Ward Seven'
    const members = [idOf('physician.okafor'), idOf('clerk.moss'), idOf('nurse.lind'), idOf('clerk.moss')]
    const { status, channel } = await open(nurse, { kind: 'group', title, members })
    expect(status).toBe(201)
    expect(channel).toMatchObject({ kind: 'group', title, with: [], head: 3 })
    expect(channel.abilities).toContain('channel.manage')
    expect((await inbox(physician)).items.find(({ id }) => id === channel.id)).toMatchObject({ title, unread: 0 })

    const socket = await openSocket(physician)
    await socket.ask({ type: 'channel.subscribe', channel: channel.id, after: 0 })
    const joined = await socket.frame('channel.event', ({ seq }) => seq === 3)
    expect(joined.event.type).toBe('member.joined')
    expect(await post(socket, channel.id)).toMatchObject({ type: 'message.accepted', seq: 4 })
    socket.cut()

    const rows = await server.database.query<{ text: string }>('SELECT c::text AS text FROM channels c')
    expect(rows.map(({ text }) => text).join()).not.toContain(Buffer.from(title).toString('hex'))
    expect(await auditOf(server, 'riverside', { action: 'member.join', channel: channel.id })).toHaveLength(3)
  })

  it('somebody who is connected hears of a new group without asking', async () => {
    const socket = await openSocket(await signedIn(server, 'riverside/pharmacist.vega'))
    const { channel } = await open(nurse, { kind: 'group', title: 'New', members: [idOf('pharmacist.vega')] })
    expect(await socket.frame('inbox.changed', (frame) => frame.channel === channel.id)).toMatchObject({ head: 2 })
    expect(await socket.ask({ type: 'channel.subscribe', channel: channel.id })).toMatchObject({ head: 2 })
    socket.cut()
  })

  it('nobody is invited who could never read there [R-38]', async () => {
    for (const who of ['admin.reyes', 'auditor.chen']) {
      const answer = await nurse.call('POST', '/channels', { body: { kind: 'direct', member: idOf(who) } })
      expect(answer).toMatchObject({ status: 409, body: { code: 'conflict', fields: ['/member'] } })
      const group = { kind: 'group', title: 'T', members: [idOf('clerk.moss'), idOf(who)] }
      expect((await nurse.call('POST', '/channels', { body: group })).status).toBe(409)
    }
  })

  it('not with oneself, not with somebody of another tenant, not with nobody', async () => {
    const refused = async (member: string) =>
      (await nurse.call('POST', '/channels', { body: { kind: 'direct', member } })).status
    expect(await refused(idOf('nurse.lind'))).toBe(403)
    expect(await refused(server.users.get('lakeside/physician.haddad') ?? '')).toBe(404)
    expect(await refused(randomUUID())).toBe(404)
    const members = [idOf('clerk.moss'), server.users.get('lakeside/physician.haddad')]
    const answer = await nurse.call('POST', '/channels', { body: { kind: 'group', title: 'T', members } })
    expect(answer).toMatchObject({ status: 404, body: { fields: ['/members'] } })
  })

  it('administrators and auditors open none', async () => {
    for (const who of ['admin.reyes', 'auditor.chen']) {
      const person = await signedIn(server, `riverside/${who}`)
      const direct = await person.call('POST', '/channels', { body: { kind: 'direct', member: idOf('nurse.lind') } })
      const group = { kind: 'group', title: 'T', members: [idOf('nurse.lind')] }
      expect([direct.status, (await person.call('POST', '/channels', { body: group })).status]).toEqual([403, 403])
    }
  })

  it.each([
    {},
    { kind: 'patient', member: randomUUID() },
    { kind: 'direct' },
    { kind: 'direct', member: 'x' },
    { kind: 'direct', member: randomUUID(), title: 'T' },
    { kind: 'group', title: '', members: [randomUUID()] },
    { kind: 'group', title: 'a\u0000b', members: [randomUUID()] },
    { kind: 'group', title: 'T', members: [] },
    { kind: 'group', title: 'T', members: Array.from({ length: 201 }, () => randomUUID()) },
    { kind: 'group', title: 'T', members: [randomUUID()], archivedAt: null },
    { kind: 'group', title: 'T', members: [randomUUID()], tenantId: randomUUID() },
    [],
  ])('refuses %j', async (body) => {
    expect(await nurse.call('POST', '/channels', { body })).toMatchObject({ status: 400, body: { code: 'invalid' } })
  })
})

describe('GET /channels', () => {
  it('the one with the latest event first, each once, page by page', async () => {
    const all = (await inbox(nurse)).items
    expect(all.length).toBeGreaterThan(3)
    const seen: ChannelSummary[] = []
    let query = '?limit=1'
    for (;;) {
      const { items, next } = await inbox(nurse, query)
      seen.push(...items)
      if (next === null) break
      query = `?limit=1&cursor=${next}`
    }
    expect(seen.map(({ id }) => id)).toEqual(all.map(({ id }) => id))
    const times = all.map(({ lastAt }) => lastAt).filter((at) => at !== null)
    expect(times).toEqual([...times].sort().reverse())
  })

  it('counts what is unread and what waits for my acknowledgement, and forgets it when that is given', async () => {
    const patient = await addPatient(
      server,
      'riverside',
      { family: 'Wait', given: 'W', mrn: 'W1' },
      'nurse.lind',
      'physician.okafor',
    )
    const writer = await openSocket(nurse)
    const reader = await openSocket(physician)
    const of = async (person: Person) => (await inbox(person)).items.find(({ id }) => id === patient.channel)
    const stat = await accepted(post(writer, patient.channel, { priority: 'stat', ackRequired: true }))
    await post(writer, patient.channel, { priority: 'urgent', ackRequired: true })
    await post(writer, patient.channel, { ackRequired: true })
    const recalled = await accepted(post(writer, patient.channel, { ackRequired: true }))
    const last = await accepted(post(writer, patient.channel))
    await writer.ask({ type: 'message.recall', message: recalled.message, reason: 'duplicate' })

    const summary = await of(physician)
    expect(summary).toMatchObject({
      unread: 5,
      urgent: 2,
      read: 0,
      patient: { family: 'Wait', channel: patient.channel },
    })
    expect(summary?.awaiting).toEqual({ stat: 1, urgent: 1, routine: 1, since: stat.at })
    expect((await of(nurse))?.awaiting).toEqual({ stat: 0, urgent: 0, routine: 0, since: null })

    await reader.ask({ type: 'message.acknowledge', message: stat.message, response: 'on-my-way' })
    expect((await of(physician))?.awaiting).toMatchObject({ stat: 0, urgent: 1, routine: 1 })
    await reader.ask({ type: 'channel.subscribe', channel: patient.channel })
    reader.send({ type: 'receipt.mark', channel: patient.channel, read: last.seq })
    await reader.frame('receipt.moved', ({ read }) => read === last.seq)
    expect(await of(physician)).toMatchObject({ read: last.seq, unread: 0, urgent: 0 })

    writer.cut()
    reader.cut()
  })

  it('whoever comes later is asked for what nobody has answered, and not for what was settled before', async () => {
    const patient = await addPatient(
      server,
      'riverside',
      { family: 'L', given: 'L', mrn: 'L1' },
      'nurse.lind',
      'physician.okafor',
    )
    const writer = await openSocket(nurse)
    const reader = await openSocket(physician)
    const asking = { ackRequired: true } as const
    const settled = await accepted(post(writer, patient.channel, asking))
    await post(writer, patient.channel, { ...asking, priority: 'urgent' })
    await reader.ask({ type: 'message.acknowledge', message: settled.message })

    const admin = await signedIn(server, 'riverside/admin.reyes')
    const body = { patient: patient.id, user: idOf('pharmacist.vega'), role: 'pharmacist' }
    expect((await admin.call('POST', '/admin/care-team', { body })).status).toBe(201)
    const vega = await signedIn(server, 'riverside/pharmacist.vega')
    const awaiting = async () => (await inbox(vega)).items.find(({ id }) => id === patient.channel)?.awaiting
    expect(await awaiting()).toMatchObject({ urgent: 1, routine: 0 })

    const later = await accepted(post(writer, patient.channel, asking))
    await reader.ask({ type: 'message.acknowledge', message: later.message })
    expect(await awaiting()).toMatchObject({ urgent: 1, routine: 1 })
    writer.cut()
    reader.cut()
  })

  it.each(['?cursor=1', '?cursor=1.x', '?cursor=-1.00000000-0000-4000-8000-000000000000', '?q=x'])(
    'refuses %s',
    async (query) => {
      expect((await nurse.call('GET', `/channels${query}`)).status).toBe(400)
    },
  )
})
