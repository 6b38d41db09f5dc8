import { randomUUID } from 'node:crypto'
import { type ChannelEvent, historyPage } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { auditOf } from '../_util/audit.ts'
import { endCare } from '../_util/channels.ts'
import { addPatient, type TestPatient } from '../_util/patients.ts'
import { type Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket } from '../_util/socket.ts'

const POSTS = 25

let server: TestServer
let nurse: Person
let patient: TestPatient
/** The same events as the socket replays them. */
let replayed: ChannelEvent[]

beforeAll(async () => {
  server = await startTestServer()
  nurse = await signedIn(server, 'riverside/nurse.lind')
  const team = ['nurse.lind', 'physician.okafor']
  patient = await addPatient(server, 'riverside', { family: 'F', given: 'G', mrn: '1' }, ...team)
  const socket = await openSocket(nurse)
  const posted: string[] = []
  for (let n = 0; n < POSTS; n += 1) {
    const answer = await socket.ask({
      type: 'message.post',
      channel: patient.channel,
      clientId: randomUUID(),
      body: `Message ${n}`,
      priority: n % 5 === 0 ? 'urgent' : 'routine',
    })
    if (answer.type === 'message.accepted') posted.push(answer.message)
  }
  await socket.ask({ type: 'message.correct', message: posted[3] ?? '', body: 'Corrected' })
  await socket.ask({ type: 'message.recall', message: posted[4] ?? '', reason: 'wrong-content' })
  await socket.ask({ type: 'channel.subscribe', channel: patient.channel, after: 0 })
  await socket.frame('channel.live')
  replayed = socket.events(patient.channel)
  socket.cut()
})
afterAll(() => server.stop())

async function history(query = ''): Promise<{ items: ChannelEvent[]; next: string | null }> {
  const answer = await nurse.call('GET', `/channels/${patient.channel}/messages${query}`)
  expect(answer.status).toBe(200)
  return historyPage.parse(answer.body)
}

describe('GET /channels/:id/messages', () => {
  it('the last events, ascending, the same as over the socket', async () => {
    expect(replayed).toHaveLength(POSTS + 4)
    const { items, next } = await history()
    expect(items).toEqual(replayed)
    expect(next).toBeNull()
  })

  it.each([1, 7, 29, 200])('%i at a time, back to the beginning: each once', async (limit) => {
    const pages: ChannelEvent[][] = []
    let query = `?limit=${limit}`
    for (;;) {
      const { items, next } = await history(query)
      pages.unshift(items)
      if (next === null) break
      expect(Number(next)).toBe(items[0]?.seq)
      query = `?limit=${limit}&before=${next}`
    }
    expect(pages.flat()).toEqual(replayed)
    expect(pages.every((items) => items.length > 0)).toBe(true)
  })

  it('before the first there is nothing', async () => {
    expect(await history('?before=1')).toEqual({ items: [], next: null })
  })

  it('reading leaves its event: who, which channel, about whom, by what right, from where on [GHSA-fx48-xv6q-6gp3]', async () => {
    await history('?before=6&limit=3')
    const events = await auditOf(server, 'riverside', { action: 'channel.read', channel: patient.channel, count: 3 })
    expect(events).toMatchObject([
      { actor: nurse.user.id, patient: patient.id, seq: 3, reason: 'care-team', outcome: 'allowed' },
    ])
  })

  it.each(['?before=0', '?before=x', '?before=1.5', '?limit=0', '?limit=201', '?after=1', '?before=-1'])(
    'refuses %s',
    async (query) => {
      const answer = await nurse.call('GET', `/channels/${patient.channel}/messages${query}`)
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid' } })
    },
  )

  it('not for who does not care for the patient, nor of a channel that is not there', async () => {
    const clerk = await signedIn(server, 'riverside/clerk.moss')
    const path = (id: string) => `/channels/${id}/messages`
    const answers = [await clerk.call('GET', path(patient.channel)), await clerk.call('GET', path(randomUUID()))]
    expect(answers.map(({ status }) => status)).toEqual([404, 404])
    expect(answers[0]?.text).toBe(answers[1]?.text)
    const refused = { action: 'channel.read', channel: patient.channel, outcome: 'refused', actor: clerk.user.id }
    expect(await auditOf(server, 'riverside', refused)).toMatchObject([{ reason: 'no-care-team', patient: patient.id }])
  })

  it('R-72 a message whose stored body was changed is shown as unreadable, over HTTP and socket, and that is audited', async () => {
    const [, , third] = (await history()).items.filter(({ event }) => event.type === 'message.posted')
    const id = third?.event.type === 'message.posted' ? third.event.message : ''
    const change = (part: string) => `UPDATE channel_events SET body = ${part} WHERE id = '${id}'`
    const [row] = await server.database.query<{ body: Buffer }>(`SELECT body FROM channel_events WHERE id = '${id}'`)
    const last = (row?.body.length ?? 0) - 1
    for (const part of [
      `set_byte(body, ${last}, get_byte(body, ${last}) # 1)`,
      'set_byte(body, 3, get_byte(body, 3) # 1)',
      "'x'",
    ]) {
      await server.database.query(change(part))
      const { items } = await history()
      expect(items.find(({ seq }) => seq === third?.seq)?.event).toMatchObject({ body: '', unreadable: true })
      expect(items.filter(({ event }) => 'unreadable' in event)).toHaveLength(1)
    }
    const socket = await openSocket(await signedIn(server, 'riverside/physician.okafor'))
    await socket.ask({ type: 'channel.subscribe', channel: patient.channel, after: 0 })
    await socket.frame('channel.live')
    expect(socket.events(patient.channel)).toEqual((await history()).items)
    socket.cut()
    const events = await auditOf(server, 'riverside', { action: 'message.unreadable', message: id })
    expect(events[0]).toMatchObject({
      outcome: 'failed',
      reason: 'tampered',
      actor: nurse.user.id,
      patient: patient.id,
    })
  })

  it('R-33: no more once the assignment has ended', async () => {
    const physician = await signedIn(server, 'riverside/physician.okafor')
    const path = `/channels/${patient.channel}/messages`
    expect((await physician.call('GET', path)).status).toBe(200)
    const tenantId = server.tenants.get('riverside') ?? ''
    await endCare(server, { id: patient.channel, tenantId, patientId: patient.id }, 'riverside/physician.okafor')
    expect((await physician.call('GET', path)).status).toBe(404)
  })
})
