import { randomUUID } from 'node:crypto'
import {
  type AuditHistogram,
  auditFilters,
  auditHistogram,
  auditMarks,
  auditReview,
  auditReviews,
  patientAccess,
} from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { auditOf } from '../_util/audit.ts'
import { addGroup } from '../_util/channels.ts'
import { asOwner } from '../_util/database.ts'
import { addPatient, type TestPatient } from '../_util/patients.ts'
import { type Person, signedIn } from '../_util/person.ts'
import { createTestLog, type TestLog } from '../_util/sequencer.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket } from '../_util/socket.ts'

/** How the audit is looked through (R-73): over time, by patient, by kept filters, and in reviews that are signed off. */

const READS = 12
const KNOCKS = 9
let server: TestServer
let log: TestLog
let auditor: Person
let admin: Person
let nurse: Person
let patient: TestPatient

beforeAll(async () => {
  server = await startTestServer()
  log = await createTestLog(server.database)
  auditor = await signedIn(server, 'riverside/auditor.chen')
  admin = await signedIn(server, 'riverside/admin.reyes')
  nurse = await signedIn(server, 'riverside/nurse.lind')
  const stranger = await signedIn(server, 'riverside/physician.okafor')
  await nurse.call('GET', '/patients')
  patient = await addPatient(server, 'riverside', { family: 'Canaryname', given: 'C', mrn: 'CANARY 1' }, 'nurse.lind')
  for (let n = 0; n < READS; n += 1) await nurse.call('GET', `/patients/${patient.id}`)
  await stranger.call('GET', `/patients/${patient.id}`)
  await openLists()
  await knock(stranger)
})
afterAll(async () => {
  await log.remove()
  await server.stop()
})

/** Lists by a nurse who has the patient in them, and by a clerk who has not; a group is none. */
async function openLists(): Promise<void> {
  const clerk = await signedIn(server, 'riverside/clerk.moss')
  for (const path of ['/patients', '/channels']) await nurse.call('GET', path)
  await nurse.call('POST', '/patients/search', { body: { q: 'Canary' } })
  for (const path of ['/patients', '/channels']) await clerk.call('GET', path)
  const group = await addGroup(server, 'riverside/nurse.lind', 'riverside/clerk.moss')
  expect((await nurse.call('GET', `/channels/${group.id}`)).status).toBe(200)
}

/** Tries to read the patient's channel, again and again: five refusals are written one by one, the others as a number. */
async function knock(stranger: Person): Promise<void> {
  const socket = await openSocket(stranger)
  for (let n = 0; n < KNOCKS; n += 1) {
    const answer = await socket.ask({ type: 'channel.subscribe', channel: patient.channel })
    expect(answer).toMatchObject({ type: 'error', code: 'not-found' })
  }
  // What is over is summed up as the socket closes.
  socket.ws.close()
}

/** Sequences and indexes what there is, and says that the index is whole up to now: the sequencer itself waits for a minute. */
async function indexed(): Promise<void> {
  await log.index()
  await server.database.query(
    "UPDATE audit_log.indexed SET safe_at = (SELECT max(at) + interval '1 ms' FROM audit_log.events)",
  )
}

const get = async (person: Person, path: string) => {
  const answer = await person.call('GET', path)
  expect(answer.status, answer.text).toBe(200)
  return answer.body
}

describe('“who saw this patient”', () => {
  it('R-73 begins with a record number; asking is in the audit, and the number nowhere', async () => {
    const ask = (person: Person, mrn: string) => person.call('POST', '/admin/audit/patients/look-up', { body: { mrn } })
    expect((await ask(auditor, ' CANARY 1 ')).body).toEqual({ patient: patient.id })
    expect((await ask(auditor, 'CANARY 2')).status).toBe(404)
    expect((await ask(nurse, 'CANARY 1')).status).toBe(403)
    const lakeside = await signedIn(server, 'lakeside/admin.novak')
    expect((await ask(lakeside, 'CANARY 1')).status).toBe(404)
    const asked = await auditOf(server, 'riverside', { action: 'audit.read', actor: auditor.user.id })
    expect(asked).toContainEqual(expect.objectContaining({ outcome: 'allowed', patient: patient.id, count: 1 }))
    expect(asked).toContainEqual(expect.objectContaining({ outcome: 'refused', reason: 'not-found' }))
    expect(JSON.stringify(asked)).not.toContain('CANARY')
  })

  const report = async (query = '') =>
    patientAccess.parse(await get(auditor, `/admin/audit/patients/${patient.id}/access${query}`))

  it('R-73 each person once, with how often and when; the same by the index as by reading through', async () => {
    const summedUp = () => auditOf(server, 'riverside', { patient: patient.id, count: KNOCKS - 5, outcome: 'refused' })
    await expect.poll(summedUp).toHaveLength(1)
    const read = await report()
    const mine = read.people.find(({ user }) => user?.id === nurse.user.id)
    expect(mine).toMatchObject({ user: { displayName: 'Astrid Lind' }, allowed: READS, refused: 0, lists: 3 })
    expect(mine?.actions).toEqual([{ action: 'patient.read', count: READS }])
    const refused = read.people.find(({ user }) => user?.displayName === 'Dr. Chidi Okafor')
    expect(refused).toMatchObject({ allowed: 0, refused: 1 + KNOCKS, lists: 0 })
    expect(read.people.map(({ user }) => user?.displayName)).not.toContain('Devon Moss')
    await indexed()
    const looked = await report()
    const others = ({ people }: typeof read) => people.filter(({ user }) => user?.id !== auditor.user.id)
    expect(others(looked)).toEqual(others(read))
    expect(looked.people[0]?.user?.id).toBe(auditor.user.id)
    expect(looked.people.map(({ last }) => last)).toEqual(
      looked.people
        .map(({ last }) => last)
        .toSorted()
        .reverse(),
    )
  })

  it('is answered without a look at any event, and by a vacuumed index without a look at its rows', async () => {
    await indexed()
    await server.database.query('VACUUM audit_log.events')
    const tenant = server.tenants.get('riverside')
    const [begin, end] = ['-infinity', 'infinity']
    const asked: [string, unknown[]][] = [
      ['SELECT * FROM wardline_audit_who($1,$2,$3,$4)', [tenant, patient.id, begin, end]],
      ['SELECT * FROM wardline_audit_lists($1,$2,$3,$4,5)', [tenant, [nurse.user.id], [begin], [end]]],
    ]
    for (const [text, values] of asked) {
      const { found, touched } = await asOwner(server.database.ownerUrl, async (client) => {
        await client.query('BEGIN')
        const found = await client.query(text, values)
        // Of an index alone only the rows that it has to look up are counted as fetched.
        const touched = await client.query(
          `SELECT relname FROM pg_stat_xact_all_tables WHERE schemaname = 'audit_parts'
           AND (relname LIKE 'outbox%' AND seq_scan + idx_scan > 0 OR seq_scan > 0 OR idx_tup_fetch > 0)`,
        )
        return { found: found.rows, touched: touched.rows }
      })
      expect(found.length, text).toBeGreaterThan(0)
      expect(touched, text).toEqual([])
    }
  })

  it('of very many lists some are counted, and it is said that there were more; when the first was is told all the same', async () => {
    const [tenant, who] = [randomUUID(), randomUUID()]
    const [from, until] = [Date.UTC(2026, 0, 1), Date.UTC(2026, 0, 2)]
    await server.database.query(
      `INSERT INTO audit_log.events (tenant_id, leaf_index, at, writer_id, writer_seq, action, outcome, actor, attempts, is_list)
       SELECT $1, n, $3::timestamptz + make_interval(secs => n), $1, n, 'patient.read', 'allowed', $2, 1, true FROM generate_series(1, 300) n`,
      [tenant, who, new Date(from)],
    )
    const [lists] = await server.ctx.database.openedLists(tenant, [{ actor: who, from, until }])
    expect(lists).toMatchObject({ actor: who, more: true, first: from + 1_000, last: from + 300_000 })
    expect(lists?.count).toBe(200)
    const few = [{ actor: who, from, until: from + 20_000 }]
    expect(await server.ctx.database.openedLists(tenant, few)).toMatchObject([{ count: 19, more: false }])
    await server.database.query('DELETE FROM audit_log.events WHERE tenant_id = $1', [tenant])
  })

  it('within a time alone; asking is itself in the audit, about that patient', async () => {
    const before = `?until=${new Date(Date.parse('2020-01-01T00:00:00.000Z')).toISOString()}`
    expect((await report(before)).people).toEqual([])
    const events = await auditOf(server, 'riverside', {
      action: 'audit.read',
      patient: patient.id,
      actor: auditor.user.id,
    })
    expect(events.length).toBeGreaterThan(1)
  })

  it('not for clinicians, and not of a patient that is not there', async () => {
    expect((await nurse.call('GET', `/admin/audit/patients/${patient.id}/access`)).status).toBe(403)
    expect((await auditor.call('GET', `/admin/audit/patients/${randomUUID()}/access`)).status).toBe(404)
  })
})

describe('the histogram', () => {
  const sum = ({ buckets }: AuditHistogram, outcome: 'allowed' | 'refused' = 'allowed') =>
    buckets.reduce((total, each) => total + each[outcome], 0)
  const ask = async (query: string) => auditHistogram.parse(await get(auditor, `/admin/audit/histogram?${query}`))

  it('counts what the list shows, by the hour or finer, in at most 120 stretches', async () => {
    await indexed()
    const until = new Date(server.clock.now()).toISOString()
    const byPatient = await ask(`patient=${patient.id}&action=patient.read&until=${until}`)
    expect([sum(byPatient), sum(byPatient, 'refused')]).toEqual([READS, 1])
    const all = await ask(`action=patient.read&until=${until}`)
    // And four lists, one of them by the clerk.
    expect([sum(all), sum(all, 'refused')]).toEqual([READS + 4, 1])
    expect(sum(await ask(`action=patient.read&outcome=refused&until=${until}`), 'refused')).toBe(1)
    for (const [days, patientOnly] of [
      [1, false],
      [1, true],
      [400, true],
      [4_000, false],
    ] as const) {
      const from = new Date(server.clock.now() - days * 86_400_000).toISOString()
      const found = await ask(`from=${from}&until=${until}${patientOnly ? `&patient=${patient.id}` : ''}`)
      expect((Date.parse(found.until) - Date.parse(found.from)) / found.stepMs).toBeLessThanOrEqual(120)
      expect(found.stepMs % 3_600_000 === 0 || patientOnly).toBe(true)
    }
  })

  it('[R-37] of one’s own tenant alone', async () => {
    const theirs = await signedIn(server, 'lakeside/admin.novak')
    const found = auditHistogram.parse(await get(theirs, '/admin/audit/histogram?action=patient.read'))
    expect(sum(found)).toBe(0)
  })
})

describe('kept filters', () => {
  it('are one’s own, and hold no typed text', async () => {
    const filter = { outcome: 'refused', actor: nurse.user.id }
    const kept = await auditor.call('POST', '/admin/audit/filters', { body: { filter, days: 7 } })
    expect(kept).toMatchObject({ status: 201, body: { filter, days: 7 } })
    expect(auditFilters.parse(await get(auditor, '/admin/audit/filters')).items).toMatchObject([{ filter, days: 7 }])
    expect(auditFilters.parse(await get(admin, '/admin/audit/filters')).items).toEqual([])
    const { id } = kept.body as { id: string }
    expect((await admin.call('DELETE', `/admin/audit/filters/${id}`)).status).toBe(404)
    for (const wrong of [
      { filter: { name: 'Jane' }, days: 7 },
      { filter: {}, days: 0 },
      { filter, days: 7, name: 'x' },
    ]) {
      expect((await auditor.call('POST', '/admin/audit/filters', { body: wrong })).status).toBe(400)
    }
    expect((await auditor.call('DELETE', `/admin/audit/filters/${id}`)).status).toBe(204)
    expect(auditFilters.parse(await get(auditor, '/admin/audit/filters')).items).toEqual([])
  })
})

describe('a periodic review', () => {
  const period = () => ({ from: '2026-01-01T00:00:00.000Z', until: new Date(server.clock.now()).toISOString() })
  const all = async () => auditReviews.parse(await get(auditor, '/admin/audit/reviews'))
  const open = async () => {
    const answer = await auditor.call('POST', '/admin/audit/reviews', { body: period() })
    expect(answer.status, answer.text).toBe(201)
    return auditReview.parse(answer.body)
  }
  const marksOf = async (id: string) => auditMarks.parse(await get(auditor, `/admin/audit/reviews/${id}/marks`)).items

  it('R-73 is opened, marked and signed off once, and each step is an event of the log', async () => {
    await indexed()
    const review = await open()
    expect(review).toMatchObject({ openedBy: { displayName: auditor.user.displayName }, signedBy: null, marks: 0 })
    const [row] = await server.database.query<{ writer: string; seq: string; place: string }>(
      'SELECT writer_id AS writer, writer_seq AS seq, leaf_index AS place FROM audit_log.events WHERE tenant_id = $1 LIMIT 1',
      [server.tenants.get('riverside')],
    )
    const path = `/admin/audit/reviews/${review.id}`
    for (const verdict of ['as-expected', 'follow-up'] as const) {
      const body = { writer: row?.writer, seq: Number(row?.seq), verdict }
      expect((await auditor.call('POST', `${path}/marks`, { body })).status).toBe(204)
    }
    expect(await marksOf(review.id)).toMatchObject([{ verdict: 'follow-up', by: { id: auditor.user.id } }])
    const nothing = { writer: randomUUID(), seq: 1, verdict: 'follow-up' }
    expect((await auditor.call('POST', `${path}/marks`, { body: nothing })).status).toBe(404)

    const signed = await auditor.call('POST', `${path}/sign-off`)
    expect(auditReview.parse(signed.body)).toMatchObject({ signedBy: { id: auditor.user.id }, marks: 1, followUps: 1 })
    const { events, size } = auditReview.parse(signed.body)
    expect(events).toBeGreaterThan(READS)
    expect(size).toBeGreaterThan(events ?? 0)
    expect((await auditor.call('POST', `${path}/sign-off`)).status).toBe(409)
    expect((await auditor.call('POST', `${path}/marks`, { body: { ...nothing, writer: row?.writer } })).status).toBe(
      409,
    )

    const steps = (await auditOf(server, 'riverside', { review: review.id, outcome: 'allowed' })).filter(
      ({ action }) => action !== 'audit.read',
    )
    expect(steps.map(({ action, reason }) => `${action} ${reason}`)).toEqual([
      'audit.review-open role',
      'audit.review-mark as-expected',
      'audit.review-mark follow-up',
      'audit.review-sign role',
    ])
    expect(steps[1]).toMatchObject({ seq: Number(row?.place) })
    expect(steps[3]).toMatchObject({ count: events, seq: size })
  })

  it('is due a month after the end of the last that was signed off', async () => {
    expect((await all()).due).toBeNull()
    const id = (await all()).items[0]?.id
    await server.database.query(
      "UPDATE audit_reviews SET from_at = now() - interval '60 days', until_at = now() - interval '31 days' WHERE id = $1",
      [id],
    )
    const { due, items } = await all()
    expect(due?.from).toBe(items[0]?.until)
    const change = await admin.call('PATCH', '/admin/audit/policy', { body: { reviewDays: 40 } })
    expect(change).toMatchObject({ status: 200, body: { reviewDays: 40, retentionYears: 6 } })
    expect((await all()).due).toBeNull()
  })

  it('R-38 not by administrators, not of what is not over, and not of another’s', async () => {
    expect((await admin.call('POST', '/admin/audit/reviews', { body: period() })).status).toBe(403)
    const future = { ...period(), until: '2999-01-01T00:00:00.000Z' }
    expect((await auditor.call('POST', '/admin/audit/reviews', { body: future })).status).toBe(400)
    expect((await auditor.call('POST', `/admin/audit/reviews/${randomUUID()}/sign-off`)).status).toBe(404)
    await admin.call('PATCH', '/admin/audit/policy', { body: { retentionYears: 8, reviewDays: 41 } })
    const said = await auditOf(server, 'riverside', { action: 'audit.policy' })
    expect(said.map(({ reason, count }) => `${reason} ${count}`)).toEqual([
      'setting-review-days 40',
      'setting-retention-years 8',
      'setting-review-days 41',
    ])
    expect((await auditor.call('PATCH', '/admin/audit/policy', { body: { retentionYears: 7 } })).status).toBe(403)
    expect((await admin.call('PATCH', '/admin/audit/policy', { body: { retentionYears: 5 } })).status).toBe(400)
  })
})
