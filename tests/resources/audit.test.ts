import { type AuditEventView, auditEventView, page } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { auditOf } from '../_util/audit.ts'
import { addPatient, type TestPatient } from '../_util/patients.ts'
import { type Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket } from '../_util/socket.ts'

let server: TestServer
let auditor: Person
let nurse: Person
let patient: TestPatient
beforeAll(async () => {
  server = await startTestServer()
  auditor = await signedIn(server, 'riverside/auditor.chen')
  nurse = await signedIn(server, 'riverside/nurse.lind')
  patient = await addPatient(server, 'riverside', { family: 'Canaryname', given: 'C', mrn: 'CANARY 1' }, 'nurse.lind')
  for (let n = 0; n < 30; n += 1) await nurse.call('GET', `/patients/${patient.id}`)
  await nurse.call('GET', '/admin/users')
  await (await signedIn(server, 'lakeside/physician.haddad')).call('GET', `/patients/${patient.id}`)
})
afterAll(() => server.stop())

async function read(query = ''): Promise<{ items: AuditEventView[]; next: string | null }> {
  const answer = await auditor.call('GET', `/admin/audit/events${query}`)
  expect(answer.status).toBe(200)
  return page(auditEventView).parse(answer.body)
}

async function all(query: string): Promise<AuditEventView[]> {
  const events: AuditEventView[] = []
  let cursor = ''
  for (;;) {
    const { items, next } = await read(`?${query}${cursor}`)
    events.push(...items)
    if (next === null) return events
    cursor = `&cursor=${next}`
  }
}

const placeOf = ({ writer, seq }: AuditEventView) => `${writer}/${seq}`

describe('GET /admin/audit/events', () => {
  it('newest first, with who it was by name', async () => {
    const { items } = await read('?limit=200')
    const times = items.map(({ at }) => at)
    expect(times).toEqual([...times].sort().reverse())
    expect(items.find(({ action }) => action === 'patient.read')).toMatchObject({
      actor: { id: nurse.user.id, displayName: 'Astrid Lind' },
      outcome: 'allowed',
      reason: 'care-team',
      patient: patient.id,
      address: '127.0.0.1',
    })
    const bySystem = items.find(({ action }) => action === 'patient.create')
    expect(bySystem).toMatchObject({ actor: null, resource: { kind: 'channel', id: patient.channel } })
  })

  it.each([1, 7, 200])('%i at a time: each event that was there at the beginning once', async (limit) => {
    const until = new Date(server.clock.now()).toISOString()
    const stored = (await auditOf(server, 'riverside', {})).filter(({ at }) => at < until)
    const events = await all(`limit=${limit}&until=${until}`)
    expect(new Set(events.map(placeOf)).size).toBe(events.length)
    expect(events).toHaveLength(stored.length)
  })

  it('by person, patient, action, outcome, time and connection', async () => {
    const ofNurse = await all(`limit=50&actor=${nurse.user.id}`)
    expect(new Set(ofNurse.map(({ actor }) => actor?.id))).toEqual(new Set([nurse.user.id]))
    const reads = await all(`limit=7&patient=${patient.id}&action=patient.read`)
    expect(reads).toHaveLength(30)
    const refused = await all('limit=50&outcome=refused')
    expect(refused.map(({ action }) => action)).toContain('user.read')
    const [newest, oldest] = [reads[0]?.at ?? '', reads.at(-1)?.at ?? '']
    const within = await all(`limit=50&patient=${patient.id}&action=patient.read&from=${oldest}&until=${newest}`)
    expect(within.every(({ at }) => at >= oldest && at < newest)).toBe(true)
    expect(within).toHaveLength(reads.filter(({ at }) => at < newest).length)

    const socket = await openSocket(nurse)
    const { connectionId } = await socket.frame('session.challenge')
    await socket.ask({ type: 'channel.subscribe', channel: patient.channel })
    socket.cut()
    const followed = await all(`limit=50&connection=${connectionId}`)
    expect(followed.map(({ action }) => action)).toContain('channel.subscribe')
    expect(new Set(followed.map(({ connection }) => connection))).toEqual(new Set([connectionId]))
  })

  it('a filter that matches next to nothing is answered in bounded steps, and found in the end', async () => {
    const tenant = server.tenants.get('riverside') ?? ''
    const { ctx } = server
    const before = server.clock.now()
    await Promise.all(
      Array.from({ length: 6_000 }, () =>
        ctx.database.auditOnly(tenant, { action: 'server.drain', outcome: 'allowed' }),
      ),
    )
    const query = `limit=50&action=patient.create&until=${new Date(server.clock.now() + 1).toISOString()}`
    const first = await read(`?${query}`)
    expect(first).toMatchObject({ items: [], next: expect.any(String) })
    expect(await all(query)).toHaveLength(1)
    const recent = `limit=50&action=patient.create&from=${new Date(before).toISOString()}`
    expect(await all(recent)).toEqual([])
  })

  it('R-73: looking is in the audit too, with how much was seen and whom it was about', async () => {
    const { items } = await read(`?limit=5&patient=${patient.id}`)
    const looks = await auditOf(server, 'riverside', {
      action: 'audit.read',
      actor: auditor.user.id,
      patient: patient.id,
    })
    expect(looks.at(-1)).toMatchObject({ outcome: 'allowed', count: items.length })
  })

  it('shows nothing of another tenant, and nothing of what a patient is called', async () => {
    const admin = await signedIn(server, 'lakeside/admin.novak')
    const theirs = page(auditEventView).parse((await admin.call('GET', '/admin/audit/events?limit=200')).body)
    expect(theirs.items.map(({ actor }) => actor?.id)).not.toContain(nurse.user.id)
    expect(theirs.items.some((event) => event.action === 'patient.read' && event.outcome === 'refused')).toBe(true)
    expect(JSON.stringify(await all('limit=200'))).not.toContain('CANARY')
  })

  it('not for clinicians', async () => {
    expect((await nurse.call('GET', '/admin/audit/events')).status).toBe(403)
  })

  it('a row that somebody has changed is shown as one that cannot be read', async () => {
    const { database } = server
    await database.query('ALTER TABLE audit_outbox DISABLE TRIGGER USER')
    await database.query(
      `UPDATE audit_outbox SET event = '\\x7b7d' WHERE (tenant_id, writer_id, writer_seq) =
         (SELECT tenant_id, writer_id, writer_seq FROM audit_outbox WHERE tenant_id = $1 ORDER BY at DESC LIMIT 1)`,
      [server.tenants.get('riverside')],
    )
    const { items } = await read('?limit=5')
    expect(items.map(({ action, outcome }) => `${action} ${outcome}`)).toContain('audit.unreadable failed')
  })

  it.each([
    '?cursor=x',
    '?cursor=1.2.3',
    '?actor=me',
    '?action=DROP',
    '?outcome=denied',
    '?from=yesterday',
    '?from=2026-13-01T00:00:00.000Z',
    '?until=2026-02-30T00:00:00.000Z',
    '?q=Canaryname',
  ])('refuses %s', async (query) => {
    expect(await auditor.call('GET', `/admin/audit/events${query}`)).toMatchObject({
      status: 400,
      body: { code: 'invalid' },
    })
  })
})
