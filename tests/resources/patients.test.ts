import { type PatientSummary, page, patientSummary } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { auditOf } from '../_util/audit.ts'
import { addPatient, type TestPatient } from '../_util/patients.ts'
import { type Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'

let server: TestServer
let nurse: Person
const names = ['Zimmer', 'Öz', 'adeyemi', 'Bergström', 'Müller-Doe', 'Ng', 'Ng']
const there: TestPatient[] = []
let notMine: TestPatient

beforeAll(async () => {
  server = await startTestServer()
  for (const [index, family] of names.entries()) {
    const patient = { family, given: `Given${index}`, mrn: `100 ${index}99` }
    there.push(await addPatient(server, 'riverside', patient, 'nurse.lind'))
  }
  notMine = await addPatient(server, 'riverside', { family: 'Other', given: 'One', mrn: '1' }, 'physician.okafor')
  nurse = await signedIn(server, 'riverside/nurse.lind')
})
afterAll(() => server.stop())

const patients = page(patientSummary)
const idOf = (patient: PatientSummary) => patient.id

async function list(person: Person, query = ''): Promise<{ items: PatientSummary[]; next: string | null }> {
  const answer = await person.call('GET', `/patients${query}`)
  expect(answer.status).toBe(200)
  expect(answer.headers['cache-control']).toBe('no-store')
  return patients.parse(answer.body)
}

describe('GET /patients', () => {
  it('those in my care, by name, with two identifiers and the channel', async () => {
    const { items, next } = await list(nurse)
    expect(items.map(({ family }) => family)).toEqual([
      'adeyemi',
      'Bergström',
      'Müller-Doe',
      'Ng',
      'Ng',
      'Öz',
      'Zimmer',
    ])
    expect(items[0]).toEqual({
      id: there[2]?.id,
      family: 'adeyemi',
      given: 'Given2',
      birthDate: '1950-01-02',
      mrn: '100 299',
      sex: 'female',
      deceased: false,
      channel: there[2]?.channel,
    })
    expect(next).toBeNull()
    expect(await auditOf(server, 'riverside', { action: 'patient.read', count: 7 })).toHaveLength(1)
  })

  it('page by page, everybody once; a cursor holds no name', async () => {
    const seen: string[] = []
    let query = '?limit=3'
    for (;;) {
      const { items, next } = await list(nurse, query)
      seen.push(...items.map(idOf))
      if (next === null) break
      expect(next).toMatch(/^[0-9a-f-]{36}\.\d+$/)
      query = `?limit=3&cursor=${next}`
    }
    expect(seen).toHaveLength(7)
    expect(new Set(seen)).toEqual(new Set(there.map(({ id }) => id)))
  })

  it('nobody’s, where nobody is in one’s care: administrators see no patients by being administrators [R-38]', async () => {
    for (const who of ['admin.reyes', 'auditor.chen', 'clerk.moss']) {
      expect((await list(await signedIn(server, `riverside/${who}`))).items).toEqual([])
    }
    expect((await list(await signedIn(server, 'lakeside/physician.haddad'))).items).toEqual([])
  })

  it.each(['?q=doe', '?limit=0', '?limit=201', '?limit=x', '?cursor=x', '?cursor=', '?LIMIT=1', '?limit=1&limit=2'])(
    'refuses %s',
    async (query) => {
      const answer = await nurse.call('GET', `/patients${query}`)
      expect(answer).toMatchObject({ status: 400, body: { code: 'invalid', retry: 'never' } })
    },
  )
})

describe('POST /patients/search', () => {
  const search = async (body: unknown) => nurse.call('POST', '/patients/search', { body })

  it.each([
    ['doe', ['Müller-Doe']],
    ['MULLER given4', ['Müller-Doe']],
    ['100499', ['Müller-Doe']],
    ['ng', ['Ng', 'Ng']],
    ['100', ['adeyemi', 'Bergström', 'Müller-Doe', 'Ng', 'Ng', 'Öz', 'Zimmer']],
    ['Other', []],
    ['--', []],
  ])('%j finds %j', async (q, families) => {
    const answer = await search({ q })
    expect(answer.status).toBe(200)
    expect(patients.parse(answer.body).items.map(({ family }) => family)).toEqual(families)
  })

  it('page by page', async () => {
    const first = patients.parse((await search({ q: 'ng', limit: 1 })).body)
    const second = patients.parse((await search({ q: 'ng', limit: 1, cursor: first.next })).body)
    expect(second.next).toBeNull()
    expect([...first.items, ...second.items].map(({ given }) => given)).toEqual(['Given5', 'Given6'])
  })

  it.each([
    {},
    { q: '' },
    { q: '   ' },
    { q: 'x'.repeat(101) },
    { q: 'a\u202eb' },
    { q: 1 },
    { q: 'a', tenant: 'b' },
    { q: 'a', limit: '5' },
  ])('refuses %j', async (body) => {
    expect(await search(body)).toMatchObject({ status: 400, body: { code: 'invalid' } })
  })
})

describe('GET /patients/:id', () => {
  it('one in my care, audited with the patient and the right', async () => {
    const id = there[0]?.id ?? ''
    const answer = await nurse.call('GET', `/patients/${id}`)
    expect(patientSummary.parse(answer.body)).toMatchObject({ family: 'Zimmer' })
    const [event] = await auditOf(server, 'riverside', { action: 'patient.read', patient: id })
    expect(event).toMatchObject({ outcome: 'allowed', reason: 'care-team', actor: nurse.user.id, address: '127.0.0.1' })
    expect(event?.device).toBeDefined()
  })

  it('one who is not, one of another tenant and one who is nobody get the same answer, each audited', async () => {
    const elsewhere = await addPatient(server, 'lakeside', { family: 'A', given: 'B', mrn: '9' }, 'physician.haddad')
    const nobody = '00000000-0000-4000-8000-000000000000'
    const answers = await Promise.all(
      [notMine.id, elsewhere.id, nobody].map((id) => nurse.call('GET', `/patients/${id}`)),
    )
    for (const answer of answers) expect(answer.status).toBe(404)
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
    for (const patient of [notMine.id, elsewhere.id, nobody]) {
      expect(await auditOf(server, 'riverside', { patient, action: 'patient.read', outcome: 'refused' })).toHaveLength(
        1,
      )
    }
  })

  it.each(['x', '00000000-0000-4000-8000-00000000000G', '%00', "'--"])('refuses the id %j', async (id) => {
    expect((await nurse.call('GET', `/patients/${id}`)).status).toBe(400)
  })
})

it('a record that somebody tampered with is left out, said in the log, and the others are shown', async () => {
  const tampered = await addPatient(server, 'riverside', { family: 'T', given: 'T', mrn: '7' }, 'pharmacist.vega')
  const whole = await addPatient(server, 'riverside', { family: 'W', given: 'W', mrn: '8' }, 'pharmacist.vega')
  // One patient's bytes in another's row: the same key hierarchy, another place.
  await server.database.query(
    `UPDATE patients SET sealed_demographics =
       (SELECT sealed_demographics FROM patients WHERE id = $2) WHERE id = $1`,
    [tampered.id, whole.id],
  )
  const vega = await signedIn(server, 'riverside/pharmacist.vega')
  expect((await list(vega)).items.map(idOf)).toEqual([whole.id])
  expect((await vega.call('GET', `/patients/${tampered.id}`)).status).toBe(404)
  expect(server.logged.some((line) => line.includes('patient.unreadable'))).toBe(true)
})

it('R-65: no name, number or typed text is in the log', () => {
  const texts = [...names.filter((name) => name.length > 2), 'Given', '100 499', '100499', 'MULLER']
  const log = server.logged.join('')
  expect(log).toContain('/api/v1/patients/search')
  expect(texts.filter((text) => log.includes(text))).toEqual([])
})
