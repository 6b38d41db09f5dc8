import {
  type Alert,
  type AlertDetail,
  alert,
  alertDetail,
  alertSettings,
  alertWebhook,
  alertWebhookSecret,
  page,
  type ServerFrameOf,
} from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isSigned } from '../../apps/server/src/alerts/webhook/signature.ts'
import { auditOf } from '../_util/audit.ts'
import { type Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket } from '../_util/socket.ts'
import { startWebhookReceiver, type WebhookReceiver } from '../_util/webhook-receiver.ts'

/** Alerts as people meet them (R-74): a server that sequences its audit and looks through it. */

let server: TestServer
let receiver: WebhookReceiver
let admin: Person
let auditor: Person
let clerk: Person
let nurse: Person

beforeAll(async () => {
  receiver = await startWebhookReceiver()
  const alerts = {
    run: 'embedded',
    staleMs: 600_000,
    webhookNetworks: ['127.0.0.1', '::1'],
    webhookCaFile: receiver.caFile,
  } as const
  server = await startTestServer({ config: { sequencer: 'embedded', alerts } })
  const names = ['admin.reyes', 'auditor.chen', 'clerk.moss', 'nurse.lind']
  const people = await Promise.all(names.map((name) => signedIn(server, `riverside/${name}`)))
  ;[admin, auditor, clerk, nurse] = people as [Person, Person, Person, Person]
})
afterAll(async () => {
  await server.stop()
  await receiver.close()
})

async function list(query = '', by = auditor): Promise<Alert[]> {
  const answer = await by.call('GET', `/admin/alerts${query}`)
  expect(answer.status, answer.text).toBe(200)
  return page(alert).parse(answer.body).items
}

/** Shows a proof twice: what a stolen one looks like. */
async function replay(person: Person): Promise<void> {
  const twisted = { claims: { jti: `replayed-${Math.random().toString(36).slice(2)}-0123456789` } }
  for (const status of [200, 401]) expect((await person.call('GET', '/me', { twisted })).status).toBe(status)
}

/** The alert about somebody, once it is there. */
async function alertAbout(person: Person, kind: string, at: Partial<Alert> = {}): Promise<Alert> {
  await expect
    .poll(async () => (await list(`?kind=${kind}`)).filter(({ user }) => user?.id === person.user.id))
    .toMatchObject([{ kind, ...at }])
  const [found] = (await list(`?kind=${kind}`)).filter(({ user }) => user?.id === person.user.id)
  return found as Alert
}

const detail = async (id: string): Promise<AlertDetail> =>
  alertDetail.parse((await auditor.call('GET', `/admin/alerts/${id}`)).body)

describe('R-74 an alert', () => {
  it('rings: on the open screens of those who may see it, and nowhere else', async () => {
    const [watching, other] = [await openSocket(admin), await openSocket(nurse)]
    const told = () =>
      watching.received.filter((frame): frame is ServerFrameOf<'alerts.changed'> => frame.type === 'alerts.changed')
    await watching.until(() => told().length > 0, 'the number at first')
    expect(told()[0]).toMatchObject({ open: 0 })
    await replay(nurse)
    await watching.until(() => told().at(-1)?.open === 1, 'the alarm')
    expect(other.received.filter(({ type }) => type === 'alerts.changed')).toEqual([])
    watching.ws.close()
    other.ws.close()
  })

  it('is shown with its events, as the audit has them', async () => {
    const found = await alertAbout(nurse, 'proof-replay', { severity: 'high', state: 'open', count: 1 })
    expect(found).toMatchObject({
      scope: 'tenant',
      address: '127.0.0.1',
      user: { displayName: nurse.user.displayName },
    })
    const { events, ...same } = await detail(found.id)
    expect(same).toEqual(found)
    expect(events).toMatchObject([{ reason: 'proof-replay', outcome: 'refused', actor: { id: nurse.user.id } }])
    const proof = await auditor.call('GET', `/admin/audit/events/${events[0]?.index}/proof`)
    expect(proof.status).toBe(200)
  })

  it('is acknowledged, closed with a word of the list, and open again when it goes on; all of it in the audit', async () => {
    const { id } = await alertAbout(nurse, 'proof-replay')
    const act = (what: string, body?: unknown, by = admin) => by.call('POST', `/admin/alerts/${id}/${what}`, { body })
    const acknowledged = alert.parse((await act('acknowledge')).body)
    expect(acknowledged).toMatchObject({ state: 'acknowledged', acknowledged: { by: { id: admin.user.id } } })
    // Again changes nothing, and says who was first.
    expect(alert.parse((await act('acknowledge')).body)).toEqual(acknowledged)
    expect((await act('close', { resolution: 'because I say so' })).status).toBe(400)
    expect(alert.parse((await act('close', { resolution: 'false-alarm' })).body)).toMatchObject({
      state: 'closed',
      closed: { by: { id: admin.user.id }, resolution: 'false-alarm' },
    })
    expect(await list('?state=active')).not.toContainEqual(expect.objectContaining({ id }))
    expect(await list('?state=closed')).toContainEqual(expect.objectContaining({ id }))
    await replay(nurse)
    await alertAbout(nurse, 'proof-replay', { id, state: 'open', count: 2, acknowledged: null, closed: null })
    expect((await detail(id)).events).toHaveLength(2)
    const about = async (action: 'alert.raise' | 'alert.acknowledge' | 'alert.close') =>
      (await auditOf(server, 'riverside', { action, alert: id })).map(({ outcome, reason }) => [outcome, reason])
    expect(await about('alert.raise')).toEqual([
      ['allowed', 'alert-proof-replay'],
      ['allowed', 'alert-proof-replay'],
    ])
    expect(await about('alert.acknowledge')).toEqual([
      ['allowed', undefined],
      ['repeated', undefined],
    ])
    expect(await about('alert.close')).toEqual([['allowed', 'false-alarm']])
  })

  it('R-38 auditors change nothing, others see nothing, another organisation finds nothing', async () => {
    const { id } = await alertAbout(nurse, 'proof-replay')
    expect((await auditor.call('POST', `/admin/alerts/${id}/acknowledge`)).status).toBe(403)
    for (const path of ['', `/${id}`]) expect((await clerk.call('GET', `/admin/alerts${path}`)).status).toBe(403)
    const stranger = await signedIn(server, 'lakeside/admin.novak')
    expect((await stranger.call('GET', `/admin/alerts/${id}`)).status).toBe(404)
    expect((await stranger.call('POST', `/admin/alerts/${id}/close`, { body: { resolution: 'drill' } })).status).toBe(
      404,
    )
    expect(await list('', stranger)).toEqual([])
    expect(await list()).toContainEqual(expect.objectContaining({ id, state: 'open' }))
  })

  it('pages', async () => {
    await replay(clerk)
    await alertAbout(clerk, 'proof-replay')
    const all = await list()
    const seen: string[] = []
    for (let cursor: string | null = ''; cursor !== null; ) {
      const answer = await auditor.call('GET', `/admin/alerts?limit=1${cursor && `&cursor=${cursor}`}`)
      const { items, next } = page(alert).parse(answer.body)
      seen.push(...items.map(({ id }) => id))
      cursor = next
    }
    expect(seen).toEqual(all.map(({ id }) => id))
    expect(seen.length).toBeGreaterThan(1)
    expect((await auditor.call('GET', '/admin/alerts?cursor=x')).status).toBe(400)
  })
})

describe('the webhook', () => {
  const set = (url: string, by = admin) => by.call('PUT', '/admin/alert-webhook', { body: { url } })
  const shown = async () => alertWebhook.parse((await admin.call('GET', '/admin/alert-webhook')).body)

  it.each([
    'http://hooks.example.org/x',
    'https://user:password@hooks.example.org/',
    'https://hooks.example.org/#x',
    'https://10.0.0.1/',
    'https://169.254.169.254/latest/meta-data/',
    'https://[fd00::1]/',
    'ftp://hooks.example.org/',
    'hooks.example.org',
    'https://0x0a000001/',
  ])('is not set to %s', async (url) => {
    expect((await set(url)).status).toBe(400)
    expect((await shown()).url).toBeNull()
  })

  it('gets what rings: signed, with its id and without a name or a patient', async () => {
    expect((await set(receiver.url, auditor)).status).toBe(403)
    const { secret } = alertWebhookSecret.parse((await set(receiver.url)).body)
    await replay(auditor)
    await expect.poll(() => receiver.received.length).toBe(1)
    const [{ headers, body } = { headers: {}, body: '' }] = receiver.received
    expect(isSigned(secret, headers, body, Date.now() / 1000)).toBe(true)
    const { id } = await alertAbout(auditor, 'proof-replay')
    const said = JSON.parse(body) as { data: { alert: object } }
    expect(said).toMatchObject({
      type: 'alert.raised',
      data: {
        tenant: { slug: 'riverside' },
        alert: { id, kind: 'proof-replay', severity: 'high', user: auditor.user.id, count: 1 },
        url: `${server.url}/alerts/${id}`,
      },
    })
    expect(body).not.toContain(auditor.user.displayName)
    expect(Object.keys(said.data.alert)).not.toContain('patient')
    await expect
      .poll(async () => (await shown()).deliveries)
      .toMatchObject([
        { id: headers['webhook-id'], alert: id, state: 'delivered', attempts: 1, status: 204, nextAt: null },
      ])
    // The secret was shown once, and is nowhere in clear.
    const rows = await server.database.query<{ text: string }>('SELECT w::text AS text FROM alert_webhooks w')
    expect(JSON.stringify([rows, await shown(), server.logged])).not.toContain(secret.slice(6))
  })

  it('is tried by a button; what fails shows why, and when it is tried again', async () => {
    const test = async () => alertWebhook.parse((await admin.call('POST', '/admin/alert-webhook/test')).body)
    receiver.answer(302, { location: 'https://localhost/elsewhere' })
    const before = receiver.received.length
    expect((await test()).deliveries[0]).toMatchObject({ alert: null, state: 'waiting', attempts: 0 })
    await expect
      .poll(async () => (await shown()).deliveries[0])
      .toMatchObject({
        state: 'waiting',
        attempts: 1,
        status: 302,
        fault: null,
        nextAt: expect.any(String),
      })
    expect(receiver.received).toHaveLength(before + 1)
    expect(JSON.parse(receiver.received.at(-1)?.body ?? '')).toMatchObject({ type: 'alert.test' })
    receiver.answer(204)
    expect((await auditor.call('POST', '/admin/alert-webhook/test')).status).toBe(403)
  })

  it('that is removed gets nothing more', async () => {
    expect((await admin.call('DELETE', '/admin/alert-webhook')).status).toBe(204)
    const { url, deliveries } = await shown()
    expect(url).toBeNull()
    expect(deliveries.filter(({ state }) => state === 'waiting')).toEqual([])
    expect((await admin.call('POST', '/admin/alert-webhook/test')).status).toBe(404)
    const changes = await auditOf(server, 'riverside', { action: 'webhook.change', outcome: 'allowed' })
    expect(changes).toHaveLength(2)
    const delivered = await auditOf(server, 'riverside', { action: 'alert.deliver' })
    expect(delivered.map(({ outcome }) => outcome)).toEqual(['allowed', 'failed'])
  })
})

describe('working hours', () => {
  it('are set in a zone that there is; administration outside of them is an alert', async () => {
    const put = (workingHours: unknown) => admin.call('PUT', '/admin/alert-settings', { body: { workingHours } })
    for (const wrong of [
      { zone: 'Mars/Base', from: 0, until: 60 },
      { zone: 'UTC', from: 0, until: 1440 },
      { zone: 'UTC' },
    ]) {
      expect((await put(wrong)).status).toBe(400)
    }
    const minute = Math.floor(Date.now() / 60_000) % 1440
    const elsewhen = { zone: 'UTC', from: (minute + 120) % 1440, until: (minute + 180) % 1440 }
    expect(alertSettings.parse((await put(elsewhen)).body)).toEqual({ workingHours: elsewhen })
    const body = { username: 'late.hire', displayName: 'Late Hire', roles: [] }
    expect((await admin.call('POST', '/admin/users', { body })).status).toBe(201)
    await alertAbout(admin, 'off-hours', { severity: 'low' })
    expect(alertSettings.parse((await put(null)).body)).toEqual({ workingHours: null })
    expect((await auditor.call('GET', '/admin/alert-settings')).status).toBe(200)
  })
})
