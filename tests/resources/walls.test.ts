import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { problem } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { auditOf } from '../_util/audit.ts'
import { addGroup } from '../_util/channels.ts'
import { addPatient } from '../_util/patients.ts'
import { type Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'

/** Everything that a call can name of a tenant. */
type Name =
  | 'patient'
  | 'channel'
  | 'group'
  | 'user'
  | 'assignment'
  | 'session'
  | 'device'
  | 'factor'
  | 'review'
  | 'hold'
type Ids = Record<Name, string>

type Call = { readonly method: string; readonly path: string; readonly body?: unknown }

let server: TestServer
const ids: Record<string, Ids> = {}
const people: Record<string, { clinician: Person; admin: Person }> = {}
const CANARY = { family: 'Xylophantia', given: 'Quuxbert', mrn: 'CANARY 4711' }

beforeAll(async () => {
  server = await startTestServer()
  const staff = { riverside: ['physician.okafor', 'admin.reyes'], lakeside: ['physician.haddad', 'admin.novak'] }
  for (const [slug, [clinician = '', admin = '']] of Object.entries(staff)) {
    const patient = await addPatient(server, slug, { ...CANARY, mrn: `${CANARY.mrn} ${slug}` }, clinician)
    const group = await addGroup(server, `${slug}/${clinician}`)
    const pair = {
      clinician: await signedIn(server, `${slug}/${clinician}`),
      admin: await signedIn(server, `${slug}/${admin}`),
    }
    people[slug] = pair
    const [assignment] = await server.database.query<{ id: string }>('SELECT id FROM care_team WHERE patient_id = $1', [
      patient.id,
    ])
    const [session] = await server.database.query<{ id: string; device_id: string }>(
      'SELECT id, device_id FROM sessions WHERE user_id = $1',
      [pair.clinician.user.id],
    )
    ids[slug] = {
      patient: patient.id,
      channel: patient.channel,
      group: group.id,
      user: pair.clinician.user.id,
      assignment: assignment?.id ?? '',
      session: session?.id ?? '',
      device: session?.device_id ?? '',
      factor: randomUUID(),
      ...(await addReviewAndHold(server.tenants.get(slug) ?? '', pair.admin.user.id)),
    }
  }
})
afterAll(() => server.stop())

/** A review of the audit, a filter that an administrator keeps, under the same id, and a hold. */
async function addReviewAndHold(tenant: string, by: string): Promise<{ review: string; hold: string }> {
  const [review, hold] = [randomUUID(), randomUUID()]
  await server.database.query(
    "INSERT INTO audit_reviews (tenant_id, id, from_at, until_at, opened_by, opened_at) VALUES ($1, $2, 'epoch', now(), $3, now())",
    [tenant, review, by],
  )
  await server.database.query(
    "INSERT INTO audit_filters (tenant_id, id, user_id, filter, created_at) VALUES ($1, $2, $3, '{}', now())",
    [tenant, review, by],
  )
  await server.database.query(
    'INSERT INTO audit_holds (tenant_id, id, placed_by, placed_at) VALUES ($1, $2, $3, now())',
    [tenant, hold, by],
  )
  return { review, hold }
}

/** Each call that names something, by what it names. `mine` fills in what has to be one's own for the call to make sense. */
function calls(
  { patient, channel, group, user, assignment, session, device, factor, review, hold }: Ids,
  mine: Ids,
): Call[] {
  return [
    { method: 'GET', path: `/patients/${patient}` },
    { method: 'GET', path: `/channels/${channel}` },
    { method: 'GET', path: `/channels/${group}` },
    { method: 'GET', path: `/channels/${channel}/messages` },
    { method: 'GET', path: `/channels/${group}/messages` },
    { method: 'POST', path: '/channels', body: { kind: 'direct', member: user } },
    { method: 'POST', path: '/channels', body: { kind: 'group', title: 'T', members: [user] } },
    { method: 'PATCH', path: `/admin/users/${user}`, body: { disabled: true } },
    { method: 'PATCH', path: `/admin/users/${user}`, body: { roles: [] } },
    { method: 'POST', path: '/admin/care-team', body: { patient, user: mine.user, role: 'physician' } },
    { method: 'POST', path: '/admin/care-team', body: { patient: mine.patient, user, role: 'physician' } },
    { method: 'DELETE', path: `/admin/users/${user}/factors` },
    { method: 'POST', path: `/admin/users/${user}/set-up`, body: {} },
    { method: 'DELETE', path: `/admin/care-team/${assignment}` },
    { method: 'POST', path: `/admin/sessions/${session}/renew`, body: { demand: 'step-up' } },
    { method: 'DELETE', path: `/admin/sessions/${session}` },
    { method: 'DELETE', path: `/me/sessions/${session}` },
    { method: 'DELETE', path: `/admin/devices/${device}` },
    { method: 'DELETE', path: `/me/devices/${device}` },
    { method: 'DELETE', path: `/admin/users/${user}/sessions` },
    { method: 'PATCH', path: `/admin/services/${user}`, body: { scope: 'directory:read' } },
    { method: 'POST', path: '/admin/tokens/revoke', body: { user, jti: 'j'.repeat(32) } },
    { method: 'DELETE', path: `/me/factors/${factor}` },
    { method: 'GET', path: `/admin/alerts/${factor}` },
    { method: 'POST', path: `/admin/alerts/${factor}/acknowledge` },
    { method: 'POST', path: `/admin/alerts/${factor}/close`, body: { resolution: 'resolved' } },
    { method: 'GET', path: `/admin/audit/patients/${patient}/access` },
    { method: 'DELETE', path: `/admin/audit/filters/${review}` },
    { method: 'GET', path: `/admin/audit/reviews/${review}/marks` },
    {
      method: 'POST',
      path: `/admin/audit/reviews/${review}/marks`,
      body: { writer: user, seq: 1, verdict: 'follow-up' },
    },
    { method: 'POST', path: `/admin/audit/reviews/${review}/sign-off` },
    { method: 'DELETE', path: `/admin/audit/holds/${hold}` },
  ]
}

/** Lists that take an id as a filter or a cursor: what is not of the tenant narrows them to nothing. */
function filters({ patient, user, assignment, session, device }: Ids): string[] {
  return [
    `/admin/care-team?patient=${patient}`,
    `/admin/care-team?user=${user}`,
    `/admin/care-team?cursor=${assignment}`,
    `/admin/sessions?user=${user}`,
    `/admin/sessions?cursor=${session}`,
    `/admin/devices?user=${user}`,
    `/admin/devices?cursor=${device}`,
    `/admin/users?cursor=${user}`,
    `/admin/audit/events?actor=${user}`,
  ]
}

const shape = (path: string) => path.split('?')[0]?.replace(/[0-9a-f]{8}-[0-9a-f-]{27}|[A-Za-z0-9_-]{32}/g, ':id')

it('the table below names every call of PROTOCOL.md that takes an id', () => {
  const text = readFileSync(new URL('../../packages/protocol/PROTOCOL.md', import.meta.url), 'utf8')
  const documented = [...text.matchAll(/`(GET|POST|PATCH|PUT|DELETE) (\/[^`?\s]*:id[^`?\s]*)/g)]
  const wanted = documented.map(([, method, path]) => `${method} ${path}`)
  expect(wanted.length).toBeGreaterThan(5)
  const { riverside, lakeside } = ids
  if (riverside === undefined || lakeside === undefined) throw new Error('not set up')
  const tested = new Set(calls(riverside, lakeside).map(({ method, path }) => `${method} ${shape(path)}`))
  expect(wanted.filter((each) => !tested.has(each))).toEqual([])
})

describe.each([
  ['riverside', 'lakeside'],
  ['lakeside', 'riverside'],
])('R-37: people of %s and what belongs to %s', (own, other) => {
  const mine = () => ids[own] as Ids
  const theirs = () => ids[other] as Ids

  async function everythingOf(slug: string): Promise<unknown> {
    // When its people were active is written a moment later.
    await server.ctx.activity.flush()
    const tenant = [server.tenants.get(slug)]
    const tables = ['users', 'user_roles', 'sessions', 'patients', 'care_team', 'channels', 'channel_members']
    const rows: unknown[] = []
    for (const table of [...tables, 'channel_events', 'audit_outbox']) {
      rows.push(await server.database.query(`SELECT t::text FROM ${table} t WHERE tenant_id = $1 ORDER BY 1`, tenant))
    }
    return rows
  }

  it('every call is refused as if there were nothing, audited here, and nothing there has moved', async () => {
    const before = await everythingOf(other)
    for (const who of ['clinician', 'admin'] as const) {
      const person = people[own]?.[who] as Person
      for (const { method, path, body } of calls(theirs(), mine())) {
        const answer = await person.call(method, path, { body })
        // Not 404 where the asker may do no such thing at all, or not yet; nothing then was looked for.
        const { code } = problem.parse(answer.body)
        expect(['not-found', 'forbidden', 'step-up-required'], `${who} ${method} ${path}`).toContain(code)
        const nobody = await person.call(method, path.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/, randomUUID()), { body })
        expect([nobody.status, nobody.text], `${who} ${method} ${path}`).toEqual([answer.status, answer.text])
        if (answer.status === 404) {
          const refused = await auditOf(server, own, { actor: person.user.id, outcome: 'refused' })
          const named = [
            theirs().patient,
            theirs().channel,
            theirs().group,
            theirs().user,
            theirs().assignment,
            theirs().session,
          ]
          const wanted = named.find((id) => path.includes(id))
          if (wanted !== undefined)
            expect(refused.some((event) => Object.values<unknown>(event).includes(wanted))).toBe(true)
        }
      }
    }
    expect(await everythingOf(other)).toEqual(before)
  })

  it('a list narrowed to what belongs to them is empty', async () => {
    const admin = people[own]?.admin as Person
    for (const path of filters(theirs())) {
      expect(await admin.call('GET', path), path).toMatchObject({ status: 200, body: { items: [], next: null } })
    }
  })

  it('no list shows anything of theirs', async () => {
    const { clinician, admin } = people[own] ?? {}
    const lists = ['/patients', '/channels', '/directory', '/admin/users', '/admin/care-team', '/admin/sessions']
    for (const path of [...lists, '/admin/audit/events']) {
      for (const person of [clinician, admin]) {
        const { text } = (await person?.call('GET', `${path}?limit=200`)) ?? { text: '' }
        const leaked = [theirs().patient, theirs().channel, theirs().group, theirs().user].filter((id) =>
          text.includes(id),
        )
        // That somebody here asked for it is in the audit, by id.
        expect(path === '/admin/audit/events' ? [] : leaked, path).toEqual([])
      }
    }
  })
})

describe('who shows no token, or the token of somebody who is out', () => {
  it('gets one and the same answer from every call', async () => {
    const { riverside } = ids
    if (riverside === undefined) throw new Error('not set up')
    const person = people['riverside']?.clinician as Person
    const lists = ['/me', '/me/sessions', '/patients', '/channels', '/directory', '/admin/users', '/admin/roles']
    const gets = [...lists, '/admin/care-team', '/admin/sessions', '/admin/audit/events'].map((path) => ({
      method: 'GET',
      path,
    }))
    const posts = ['/patients/search', '/directory/search', '/admin/users'].map((path) => ({
      method: 'POST',
      path,
      body: {},
    }))
    const answers = new Set<string>()
    for (const { method, path, body } of [...calls(riverside, riverside), ...gets, ...posts] as Call[]) {
      const { status, text } = await person.bare(method, path, { body })
      answers.add(`${status} ${text}`)
    }
    expect([...answers]).toHaveLength(1)
    expect([...answers][0]).toMatch(/^401 .*"unauthenticated"/)
  })
})

it('R-65: canaries are in no log line and in no audit event', async () => {
  const log = server.logged.join('')
  const audit = JSON.stringify([
    ...(await auditOf(server, 'riverside', {})),
    ...(await auditOf(server, 'lakeside', {})),
  ])
  for (const canary of Object.values(CANARY))
    expect([log.includes(canary), audit.includes(canary)]).toEqual([false, false])
})
