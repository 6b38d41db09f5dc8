import { randomUUID } from 'node:crypto'
import { type CareTeamAssignment, careTeamAssignment, page, patientIdentity, patientSummary } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { auditOf } from '../_util/audit.ts'
import { addPatient, type TestPatient } from '../_util/patients.ts'
import { type Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket } from '../_util/socket.ts'

let server: TestServer
let admin: Person
let patient: TestPatient
beforeAll(async () => {
  server = await startTestServer()
  admin = await signedIn(server, 'riverside/admin.reyes')
})
afterAll(() => server.stop())

const HOUR = 3_600_000
const idOf = (who: string) => server.users.get(`riverside/${who}`) ?? ''
const inFuture = (ms: number) => new Date(server.clock.now() + ms).toISOString()

let made = 0
async function newPatient(...team: string[]): Promise<TestPatient> {
  made += 1
  patient = await addPatient(server, 'riverside', { family: `F${made}`, given: 'G', mrn: `CT ${made}` }, ...team)
  return patient
}

const assign = (body: object, by = admin) => by.call('POST', '/admin/care-team', { body })

async function assigned(body: object): Promise<CareTeamAssignment> {
  const answer = await assign(body)
  expect(answer.status).toBe(201)
  return careTeamAssignment.parse(answer.body)
}

async function sees(person: Person): Promise<boolean> {
  const { items } = page(patientSummary).parse((await person.call('GET', '/patients?limit=200')).body)
  return items.some(({ id }) => id === patient.id)
}

describe('POST /admin/care-team', () => {
  it('gives the patient and the channel at once, and the team reads who has come', async () => {
    const { id, channel } = await newPatient('physician.okafor')
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    expect(await sees(nurse)).toBe(false)
    const physician = await openSocket(await signedIn(server, 'riverside/physician.okafor'))
    await physician.ask({ type: 'channel.subscribe', channel })
    const assignment = await assigned({ patient: id, user: nurse.user.id, role: 'nurse', endsAt: inFuture(12 * HOUR) })
    expect(assignment).toMatchObject({ patient: id, user: nurse.user.id, role: 'nurse' })
    expect(await sees(nurse)).toBe(true)
    const joined = await physician.frame('channel.event', ({ event }) => event.type === 'member.joined')
    expect(joined.event).toEqual({ type: 'member.joined', user: nurse.user.id, role: 'nurse' })
    physician.cut()
    const [event] = await auditOf(server, 'riverside', { action: 'care-team.assign', assignment: assignment.id })
    expect(event).toMatchObject({
      actor: admin.user.id,
      patient: id,
      user: nurse.user.id,
      role: 'nurse',
      outcome: 'allowed',
    })
  })

  it('a coming assignment gives nothing yet', async () => {
    const { id } = await newPatient()
    const body = { patient: id, user: idOf('nurse.lind'), role: 'nurse', startsAt: inFuture(HOUR) }
    await assigned(body)
    expect(await sees(await signedIn(server, 'riverside/nurse.lind'))).toBe(false)
    expect(await auditOf(server, 'riverside', { action: 'member.join', patient: id })).toEqual([])
  })

  it('the same place twice is a conflict, one after another is not', async () => {
    const { id } = await newPatient()
    const body = { patient: id, user: idOf('nurse.lind'), role: 'nurse' }
    const answers = await Promise.all([1, 2, 3].map(() => assign({ ...body, endsAt: inFuture(HOUR) })))
    expect(answers.map(({ status }) => status).sort((a, b) => a - b)).toEqual([201, 409, 409])
    expect((await assign({ ...body, startsAt: inFuture(HOUR / 2) })).status).toBe(409)
    expect((await assign({ ...body, startsAt: inFuture(2 * HOUR) })).status).toBe(201)
  })

  it('only in a role that the person holds and that cares for patients', async () => {
    const { id } = await newPatient()
    const refused = async (user: string, role: string) =>
      expect(await assign({ patient: id, user: idOf(user), role })).toMatchObject({
        status: 409,
        body: { code: 'conflict', fields: ['/role'] },
      })
    await refused('nurse.lind', 'physician')
    await refused('auditor.chen', 'auditor')
    await refused('nurse.lind', 'no-such-role')
  })

  it('R-38: nobody assigns themselves; those who administer nothing assign nobody', async () => {
    const { id } = await newPatient('nurse.lind')
    expect((await assign({ patient: id, user: admin.user.id, role: 'administrator' })).status).toBe(403)
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    const auditor = await signedIn(server, 'riverside/auditor.chen')
    const body = { patient: id, user: idOf('pharmacist.vega'), role: 'pharmacist' }
    expect((await assign(body, auditor)).status).toBe(403)
    expect([403, 404]).toContain((await assign(body, nurse)).status)
  })

  it('neither patients nor people of another tenant', async () => {
    const { id } = await newPatient()
    const elsewhere = await addPatient(server, 'lakeside', { family: 'L', given: 'L', mrn: `L${made}` })
    const haddad = server.users.get('lakeside/physician.haddad') ?? ''
    expect(await assign({ patient: elsewhere.id, user: idOf('nurse.lind'), role: 'nurse' })).toMatchObject({
      status: 404,
      body: { fields: ['/patient'] },
    })
    expect(await assign({ patient: id, user: haddad, role: 'physician' })).toMatchObject({
      status: 404,
      body: { fields: ['/user'] },
    })
  })

  it('refuses what ends before it begins, unknown fields and times that are none', async () => {
    const { id } = await newPatient()
    const good = { patient: id, user: idOf('nurse.lind'), role: 'nurse' }
    const bad = [
      { endsAt: inFuture(-HOUR) },
      { startsAt: inFuture(2 * HOUR), endsAt: inFuture(HOUR) },
      { startsAt: 'tomorrow' },
      { startsAt: '2026-02-30T00:00:00.000Z' },
      { startsAt: '2026-13-01T00:00:00.000Z' },
      { startsAt: '0000-01-01T00:00:00.000Z' },
      { startsAt: inFuture(-2 * HOUR), endsAt: inFuture(-HOUR) },
      { assignedBy: id },
      { role: 'Nurse' },
      { patient: 'x' },
    ]
    for (const extra of bad) expect((await assign({ ...good, ...extra })).status, JSON.stringify(extra)).toBe(400)
    expect(await auditOf(server, 'riverside', { action: 'care-team.assign', patient: id })).toEqual([])
  })
})

describe('DELETE /admin/care-team/:id', () => {
  it('R-33: ends access on an open socket, and nothing follows the answer; the team reads who has gone', async () => {
    const { id, channel } = await newPatient('physician.okafor')
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    const assignment = await assigned({ patient: id, user: nurse.user.id, role: 'nurse' })
    const socket = await openSocket(nurse)
    const team = await openSocket(await signedIn(server, 'riverside/physician.okafor'))
    await socket.ask({ type: 'channel.subscribe', channel })
    await team.ask({ type: 'channel.subscribe', channel })
    expect((await admin.call('DELETE', `/admin/care-team/${assignment.id}`)).status).toBe(204)
    const clientId = randomUUID()
    await team.ask({ type: 'message.post', channel, clientId, body: 'Not for who has gone' })
    expect(await socket.frame('channel.closed')).toMatchObject({ channel, reason: 'forbidden' })
    expect(await sees(nurse)).toBe(false)
    const left = await team.frame('channel.event', ({ event }) => event.type === 'member.left')
    expect(left.event).toEqual({ type: 'member.left', user: nurse.user.id })
    expect(socket.events(channel)).toEqual([])
    socket.cut()
    team.cut()

    expect((await admin.call('DELETE', `/admin/care-team/${assignment.id}`)).status).toBe(204)
    const ends = await auditOf(server, 'riverside', { action: 'care-team.end', assignment: assignment.id })
    expect(ends.map(({ outcome }) => outcome)).toEqual(['allowed', 'repeated'])
  })

  it('one of two overlapping assignments ends, and the person stays', async () => {
    const { id } = await newPatient()
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    const body = { roles: ['nurse', 'unit-clerk'] }
    expect((await admin.call('PATCH', `/admin/users/${nurse.user.id}`, { body })).status).toBe(200)
    const first = await assigned({ patient: id, user: nurse.user.id, role: 'nurse' })
    await assigned({ patient: id, user: nurse.user.id, role: 'unit-clerk' })
    await admin.call('DELETE', `/admin/care-team/${first.id}`)
    expect(await sees(nurse)).toBe(true)
    expect(await auditOf(server, 'riverside', { action: 'member.leave', patient: id })).toEqual([])
    expect(await auditOf(server, 'riverside', { action: 'member.join', patient: id })).toHaveLength(1)
  })

  it('one that has not begun never will', async () => {
    const { id } = await newPatient()
    const coming = await assigned({
      patient: id,
      user: idOf('clerk.moss'),
      role: 'unit-clerk',
      startsAt: inFuture(HOUR),
    })
    expect((await admin.call('DELETE', `/admin/care-team/${coming.id}`)).status).toBe(204)
    const { items } = page(careTeamAssignment).parse((await admin.call('GET', `/admin/care-team?patient=${id}`)).body)
    expect(items).toMatchObject([{ id: coming.id, startsAt: coming.startsAt, endsAt: coming.startsAt }])
    await assigned({ patient: id, user: idOf('clerk.moss'), role: 'unit-clerk', startsAt: inFuture(HOUR / 2) })
  })
})

describe('GET /admin/care-team', () => {
  it('of one patient, of one person, page by page', async () => {
    const { id } = await newPatient('physician.okafor', 'pharmacist.vega', 'clerk.moss')
    const get = async (query: string) =>
      page(careTeamAssignment).parse((await admin.call('GET', `/admin/care-team${query}`)).body)
    const team = await get(`?patient=${id}`)
    expect(team.items.map(({ role }) => role).sort()).toEqual(['pharmacist', 'physician', 'unit-clerk'])
    const vega = await get(`?user=${idOf('pharmacist.vega')}&limit=200`)
    expect(vega.items.some((each) => each.patient === id)).toBe(true)
    expect(new Set(vega.items.map(({ user }) => user))).toEqual(new Set([idOf('pharmacist.vega')]))
    const all: string[] = []
    let cursor: string | null = null
    do {
      const query: string = cursor === null ? '?limit=2' : `?limit=2&cursor=${cursor}`
      const { items, next } = await get(query)
      all.push(...items.map((each) => each.id))
      cursor = next
    } while (cursor !== null)
    expect(new Set(all).size).toBe(all.length)
    expect(all).toEqual((await get('?limit=200')).items.map((each) => each.id))
  })

  it('is oversight: auditors read it, clinicians do not', async () => {
    const auditor = await signedIn(server, 'riverside/auditor.chen')
    const nurse = await signedIn(server, 'riverside/nurse.lind')
    expect((await auditor.call('GET', '/admin/care-team')).status).toBe(200)
    expect((await nurse.call('GET', '/admin/care-team')).status).toBe(403)
  })
})

describe('POST /admin/care-team/patients', () => {
  const find = (person: Person, mrn: string) => person.call('POST', '/admin/care-team/patients', { body: { mrn } })

  it('the patient of a whole record number, with or without its gaps, to administrators and auditors; audited with whom it found', async () => {
    const there = await addPatient(server, 'riverside', { family: 'Kettle', given: 'Ann', mrn: '771204' }, 'nurse.lind')
    for (const who of ['admin.reyes', 'auditor.chen']) {
      const person = await signedIn(server, `riverside/${who}`)
      for (const typed of ['771204', ' 771 204 ']) {
        const answer = await find(person, typed)
        expect(answer.status).toBe(200)
        expect(answer.headers['cache-control']).toBe('no-store')
        expect(patientIdentity.parse(answer.body)).toEqual({
          id: there.id,
          family: 'Kettle',
          given: 'Ann',
          birthDate: '1950-01-02',
          mrn: '771204',
          deceased: false,
        })
      }
      const events = await auditOf(server, 'riverside', {
        action: 'care-team.read',
        patient: there.id,
        actor: person.user.id,
      })
      expect(events).toHaveLength(2)
    }
  })

  it('nobody by some of a number, by a name, or of another organisation', async () => {
    await addPatient(server, 'riverside', { family: 'Kettle', given: 'Bo', mrn: '771299' })
    await addPatient(server, 'lakeside', { family: 'Kettle', given: 'Cy', mrn: '880011' })
    for (const typed of ['7712', 'Kettle', '880011']) expect((await find(admin, typed)).status).toBe(404)
    expect((await find(admin, ' ')).status).toBe(400)
  })

  it('refused to those who care for patients and oversee nobody', async () => {
    const answer = await find(await signedIn(server, 'riverside/nurse.lind'), '771204')
    expect(answer).toMatchObject({ status: 403, body: { code: 'forbidden' } })
  })
})
