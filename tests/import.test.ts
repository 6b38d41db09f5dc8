import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { bySystem } from '../apps/server/src/audit/by.ts'
import { systemClock } from '../apps/server/src/clock.ts'
import { NotClinical, UnknownUser } from '../apps/server/src/import/care-teams.ts'
import { importFhir } from '../apps/server/src/import/import-fhir.ts'
import { renderReport } from '../apps/server/src/import/report.ts'
import { createKeyring, type Keyring } from '../apps/server/src/keys/keyring.ts'
import { openDemographics } from '../apps/server/src/patients/demographics.ts'
import type { Database } from '../apps/server/src/storage/open.ts'
import { createTenant } from '../apps/server/src/tenants/create.ts'
import { createUser } from '../apps/server/src/users/create.ts'
import { createTestDatabase, type TestDatabase } from './_util/database.ts'

const folder = mkdtempSync(join(tmpdir(), 'wardline-import-'))
let db: TestDatabase
let database: Database
let keyring: Keyring
let tenantId: string

beforeAll(async () => {
  db = await createTestDatabase()
  database = await db.open()
  keyring = createKeyring({ database, keys: db.keys, clock: systemClock })
  tenantId = await createTenant(database, keyring, { slug: 'north', name: 'North', by: bySystem })
  for (const [username, role] of [
    ['nurse.lind', 'nurse'],
    ['auditor.chen', 'auditor'],
  ] as const) {
    await database.withTenant(tenantId, (tx) =>
      createUser(tx, {
        username,
        displayName: username,
        title: null,
        roles: [role],
        passwordHash: null,
        externalDigest: null,
        by: bySystem,
      }),
    )
  }
})
afterAll(async () => {
  await db.drop()
  rmSync(folder, { recursive: true })
})

const CANARY = { family: 'Zyxwvutsrq', given: 'Qwertyuiop', mrn: 'CANARY 778 899' }

function patient(id: string, family: string, mrn: string) {
  const type = { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }] }
  return {
    resourceType: 'Patient',
    id,
    identifier: [{ type, value: mrn }],
    name: [{ use: 'official', family, given: [CANARY.given] }],
    birthDate: '1950-01-02',
    gender: 'female',
  }
}
const practitioner = {
  resourceType: 'Practitioner',
  id: 'd1',
  name: [{ family: 'Ñandú', given: ['Ana'], prefix: ['Dr.'] }],
}
const role = {
  resourceType: 'PractitionerRole',
  id: 'r1',
  practitioner: { reference: 'Practitioner/d1' },
  code: [{ coding: [{ code: '208D00000X' }], text: 'General practice' }],
}
const team = {
  resourceType: 'CareTeam',
  id: 't1',
  status: 'active',
  subject: { reference: 'Patient/p1' },
  participant: [
    { member: { reference: 'PractitionerRole/r1' } },
    { member: { type: 'Practitioner', identifier: { system: 'urn:wardline:username', value: 'nurse.lind' } } },
  ],
}
const everything = [patient('p1', CANARY.family, CANARY.mrn), practitioner, role, team]

function bundle(name: string, ...resources: object[]): string {
  const file = join(folder, name)
  const entry = resources.map((resource) => ({ resource }))
  writeFileSync(file, JSON.stringify({ resourceType: 'Bundle', type: 'collection', entry }))
  return file
}

function run(files: string[], careTeam: string[] = []) {
  return importFhir({ database, keyring, tenantId, by: bySystem, files, careTeam })
}

const readTenant = <T>(read: Parameters<Database['readTenant']>[1]) => database.readTenant(tenantId, read) as Promise<T>

describe('R-83: importing FHIR', () => {
  it('takes patients, people, their roles and care teams, a member named by user name too', async () => {
    const report = await run([bundle('all.json', ...everything)])
    expect(report.left).toEqual([])
    expect(report.counts).toEqual({
      patients: { added: 1, updated: 0, unchanged: 0 },
      practitioners: { added: 1, updated: 0, unchanged: 0 },
      roles: { added: 1, updated: 0, unchanged: 0 },
      assignments: { added: 2, updated: 0, unchanged: 0 },
    })
    expect(report.patientsWithoutTeam).toBe(0)
    const teams = await readTenant((tx) =>
      tx.careTeam.findMany({ where: { tenantId }, select: { role: true, user: { select: { username: true } } } }),
    )
    expect(teams).toEqual(
      expect.arrayContaining([
        { role: 'physician', user: { username: 'ana.nandu' } },
        { role: 'nurse', user: { username: 'nurse.lind' } },
      ]),
    )
  })

  it('the patient can be read again, and has a channel in which the team has joined', async () => {
    const row = await database.readTenant(tenantId, (tx) =>
      tx.patient.findFirstOrThrow({ where: { tenantId }, include: { channels: true } }),
    )
    const { family, given, mrn } = CANARY
    expect(await openDemographics(keyring, tenantId, row)).toMatchObject({ family, given, mrn, sex: 'female' })
    const [channel] = row.channels
    const events = await database.readEvents(tenantId, channel?.id ?? '', 0, 10)
    expect(events.map(({ type, attributes }) => [type, attributes['role']])).toEqual([
      ['member.joined', 'physician'],
      ['member.joined', 'nurse'],
    ])
  })

  it('a second time, nothing has changed and nothing is changed', async () => {
    const rows = () =>
      database.readTenant(tenantId, async (tx) => ({
        patients: await tx.patient.findMany({ where: { tenantId } }),
        users: await tx.user.findMany({ where: { tenantId }, orderBy: { id: 'asc' } }),
        roles: await tx.userRole.count({ where: { tenantId } }),
        team: await tx.careTeam.findMany({ where: { tenantId }, orderBy: { id: 'asc' } }),
        events: await tx.channelEvent.count({ where: { tenantId } }),
      }))
    const before = await rows()
    const report = await run([bundle('all.json', ...everything)])
    expect(report.counts).toEqual({
      patients: { added: 0, updated: 0, unchanged: 1 },
      practitioners: { added: 0, updated: 0, unchanged: 1 },
      roles: { added: 0, updated: 0, unchanged: 1 },
      assignments: { added: 0, updated: 0, unchanged: 2 },
    })
    expect(await rows()).toEqual(before)
  })

  it('takes what changed: a new name, the end of an assignment', async () => {
    const period = { start: '2020-01-01', end: '2020-05-01' }
    const ended = { ...team, participant: [{ ...team.participant[0], period }, team.participant[1]] }
    const report = await run([bundle('new.json', patient('p1', 'Newname', CANARY.mrn), practitioner, role, ended)])
    expect(report.counts.patients).toEqual({ added: 0, updated: 1, unchanged: 0 })
    expect(report.counts.assignments).toEqual({ added: 0, updated: 1, unchanged: 1 })
    const events = await readTenant<{ type: string }[]>((tx) =>
      tx.channelEvent.findMany({ where: { tenantId }, orderBy: { seq: 'asc' }, select: { type: true } }),
    )
    expect(events.map(({ type }) => type)).toEqual(['member.joined', 'member.joined', 'member.left'])
  })

  it('a period that ends before it begins is left out; one that is over and says no start gives nothing', async () => {
    const member = { reference: 'Practitioner/d1' }
    const teamOf = (id: string, period: object) => ({ ...team, id, participant: [{ member, period }] })
    const teams = [teamOf('t2', { start: '2021-01-01', end: '2020-01-01' }), teamOf('t3', { end: '2020-01-01' })]
    const report = await run([
      bundle('periods.json', patient('p1', 'Newname', CANARY.mrn), practitioner, role, ...teams),
    ])
    expect(report.left).toMatchObject([{ type: 'CareTeam', reason: 'malformed' }])
    expect(report.counts.assignments).toEqual({ added: 1, updated: 0, unchanged: 0 })
    const open = await readTenant<number>((tx) =>
      tx.careTeam.count({ where: { tenantId, endsAt: null, user: { externalDigest: { not: null } } } }),
    )
    expect(open).toBe(0)
  })

  it('stores many, and the same many again without a change', async () => {
    const many = Array.from({ length: 120 }, (_, n) => patient(`m${n}`, `Family ${n}`, `M ${n}`))
    const files = [bundle('many.json', ...many)]
    expect((await run(files)).counts.patients).toEqual({ added: 120, updated: 0, unchanged: 0 })
    expect((await run(files)).counts.patients).toEqual({ added: 0, updated: 0, unchanged: 120 })
  })

  it('reports a corrupt line by its place, and takes the lines around it', async () => {
    const file = join(folder, 'lines.ndjson')
    const lines = [patient('p2', CANARY.family, 'B 2'), '{"resourceType":"Patient",', patient('p3', 'C', 'C 3')]
    writeFileSync(file, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'))
    const report = await run([file])
    expect(report.counts.patients.added).toBe(2)
    expect(report.left).toEqual([{ place: { file, line: 2 }, type: 'Line', reason: 'not-json' }])
    expect(report.patientsWithoutTeam).toBe(2)
    const text = renderReport(report)
    expect(text).toContain(`${file}:2`)
    for (const canary of Object.values(CANARY)) expect(text).not.toContain(canary)
  })

  it('does not join two patients by a medical record number: that is for a person to decide', async () => {
    const report = await run([bundle('clash.json', patient('p2', 'B', 'C 3'))])
    expect(report.left).toMatchObject([{ reason: 'medical-record-number-of-another' }])
    expect(report.counts.patients).toEqual({ added: 0, updated: 0, unchanged: 0 })
  })

  it('--care-team puts clinical people, and no others, on every team; again changes nothing', async () => {
    const files = [bundle('two.json', patient('p2', CANARY.family, 'B 2'), patient('p3', 'C', 'C 3'))]
    expect((await run(files, ['nurse.lind'])).counts.assignments).toEqual({ added: 2, updated: 0, unchanged: 0 })
    const again = await run(files, ['nurse.lind'])
    expect(again.counts.assignments).toEqual({ added: 0, updated: 0, unchanged: 2 })
    expect(again.patientsWithoutTeam).toBe(0)
    await expect(run(files, ['nobody'])).rejects.toThrow(UnknownUser)
    await expect(run(files, ['auditor.chen'])).rejects.toThrow(NotClinical)
  })

  it('R-60, R-65: no name and no number of a patient is in the database in clear, the audit included', async () => {
    expect(await tablesWith('nurse.lind')).toEqual(['users'])
    expect(await tablesWith('patient.create')).toEqual(['audit_outbox'])
    for (const canary of Object.values(CANARY)) expect(await tablesWith(canary)).toEqual([])
  })

  it('every change has its audit event', async () => {
    const actions = new Set((await database.readAudit(tenantId, { limit: 500 })).map(({ event }) => event?.action))
    for (const action of [
      'patient.create',
      'patient.update',
      'user.create',
      'role.assign',
      'care-team.assign',
    ] as const) {
      expect(actions).toContain(action)
    }
    for (const action of ['care-team.end', 'member.join', 'member.leave', 'import.run'] as const) {
      expect(actions).toContain(action)
    }
  })
})

/** Tables in which the text stands somewhere, as text or within bytes. */
async function tablesWith(text: string): Promise<string[]> {
  const tables = await db.query<{ name: string }>(
    `SELECT format('%I', tablename) AS name FROM pg_tables WHERE schemaname = 'public'`,
  )
  const found: string[] = []
  for (const { name } of tables) {
    const [row] = await db.query<{ dump: string | null }>(`SELECT string_agg(t::text, ' ') AS dump FROM ${name} t`)
    const dump = row?.dump ?? ''
    const bytes = [...dump.matchAll(/\\\\x([0-9a-f]+)/g)].map(([, hex]) => Buffer.from(hex ?? '', 'hex').toString())
    if ([dump, ...bytes].some((each) => each.includes(text))) found.push(name)
  }
  return found
}
