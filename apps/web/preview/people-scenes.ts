import { type FakeServer, fakeId, problemOf } from '@wardline/client/fake-server'
import type { AdminUser, CareTeamAssignment, Role, SessionSummary } from '@wardline/protocol'
import type { Scene } from './scenes.ts'
import { chen, lind, okafor, reyes, vega } from './world.ts'

const ROLES = {
  administrator: 'Runs the system; reads no messages',
  auditor: 'Reviews what happened; changes nothing',
  nurse: 'Cares for patients and carries out orders',
  physician: 'Treats patients and writes orders',
}

const CLINICAL = ['patient.read', 'channel.read', 'message.post', 'message.acknowledge', 'message.correct']
const OVERSIGHT = ['user.read', 'role.read', 'care-team.read', 'session.read', 'alert.read', 'audit.read']
const GIVES: Record<string, readonly string[]> = {
  administrator: [...OVERSIGHT, 'user.manage', 'role.assign', 'care-team.manage', 'session.manage'],
  auditor: [...OVERSIGHT, 'audit.export', 'audit.review'],
  nurse: [...CLINICAL, 'order.acknowledge', 'emergency-access.open'],
  physician: [...CLINICAL, 'order.write', 'emergency-access.open', 'beds.assign'],
}

const roles: Role[] = Object.entries(ROLES).map(([name, label], at) => ({
  name,
  label,
  system: true,
  permissions: ['directory.read', ...(GIVES[name] ?? [])],
  requireSecondFactor: at < 2,
}))

const PATIENT = fakeId(0xc1)
const shifted = (hours: number) => new Date(Date.now() + hours * 3_600_000).toISOString()

function assignment(id: number, user: string, role: string, from: number, until: number | null): CareTeamAssignment {
  const endsAt = until === null ? null : shifted(until)
  return { id: fakeId(0x700 + id), patient: PATIENT, user, role, startsAt: shifted(from), endsAt }
}

function signIn(
  id: string,
  user: string,
  agent: string,
  minutes: number,
  more: Partial<SessionSummary>,
): SessionSummary {
  const at = shifted(-minutes / 60)
  return {
    ...{ id, user, agent, current: false, locked: false, sockets: 1, device: fakeId(0x801) },
    ...{ createdAt: shifted(-9), lastSeenAt: at, lastActiveAt: at, expiresAt: shifted(3), address: '10.20.4.17' },
    ...more,
  }
}

const accounts: AdminUser[] = [chen, lind, okafor, reyes, vega].map((person, at) => ({
  id: person.id,
  username: person.username,
  displayName: person.displayName,
  title: person.title,
  roles: person.roles,
  kind: 'person',
  disabled: at === 4,
  createdAt: '2026-03-14T09:26:00.000Z',
}))

function listed(server: FakeServer): void {
  server.http('GET /admin/roles', () => ({ status: 200, body: { items: roles, next: null } }))
  server.http('GET /admin/users', () => ({ status: 200, body: { items: accounts, next: 'more' } }))
  const [family, given, birthDate, mrn] = ['Doe', 'Jane', '1945-07-14', '123456']
  server.http('POST /admin/care-team/patients', () => ({
    status: 200,
    body: { id: PATIENT, family, given, birthDate, mrn, deceased: false },
  }))
  const items = [
    assignment(1, vega.id, 'pharmacist', 14, 22),
    assignment(2, lind.id, 'nurse', -3, 9),
    assignment(3, okafor.id, 'physician', -27, null),
    assignment(4, vega.id, 'pharmacist', -50, -42),
  ]
  server.http('GET /admin/care-team', () => ({ status: 200, body: { items, next: null } }))
  const sessions = [
    signIn('s1', reyes.id, 'firefox/linux', 0, { current: true }),
    signIn('s2', lind.id, 'edge/windows', 4, { sockets: 2 }),
    signIn('s3', lind.id, 'safari/ios', 190, { locked: true, sockets: 0, address: '10.20.9.201' }),
    signIn('s4', okafor.id, 'chrome/android', 12, {}),
  ]
  server.http('GET /admin/sessions', () => ({ status: 200, body: { items: sessions, next: null } }))
}

/** Who may sign in, and what their roles ask of them. */
export const peopleScenes: readonly Scene[] = [
  {
    name: 'people',
    who: reyes.username,
    path: '/people',
    before: listed,
    act: (page) => page.getByText('physician.okafor').waitFor(),
  },
  {
    name: 'people-change',
    who: reyes.username,
    path: '/people',
    before: listed,
    act: async (page) => {
      await page.getByRole('button', { name: 'Change: Astrid Lind' }).click()
      await page.getByRole('checkbox', { name: /Physician/ }).waitFor()
    },
  },
  {
    name: 'people-set-up',
    who: reyes.username,
    path: '/people',
    before: listed,
    act: async (page) => {
      await page.getByRole('button', { name: 'Change: Astrid Lind' }).click()
      await page.getByRole('button', { name: 'Let them set a password' }).click()
      await page.getByRole('switch', { name: 'Reset second factors as well' }).check()
    },
  },
  {
    name: 'people-set-up-link',
    who: reyes.username,
    path: '/people',
    before: (server) => {
      listed(server)
      server.http(`POST /admin/users/${lind.id}/set-up`, () => ({
        status: 201,
        body: { code: `${fakeId(0x10)}.${'mT4kQ9xWb7Lr2VnZ'.repeat(3).slice(0, 43)}`, expiresAt: shifted(24) },
      }))
    },
    act: async (page) => {
      await page.getByRole('button', { name: 'Change: Astrid Lind' }).click()
      await page.getByRole('button', { name: 'Let them set a password' }).click()
      await page.getByRole('button', { name: 'Make the link' }).click()
      await page.getByLabel('Link', { exact: true }).waitFor()
    },
  },
  {
    name: 'people-new',
    who: reyes.username,
    path: '/people',
    before: (server) => {
      listed(server)
      server.http('POST /admin/users', () => problemOf('conflict'))
    },
    act: async (page) => {
      await page.getByRole('button', { name: 'New person' }).click()
      await page.getByLabel('User name').fill('nurse.lind')
      await page.getByLabel('Name', { exact: true }).fill('Astrid Lind')
      await page.getByRole('button', { name: 'Create' }).click()
      await page.getByRole('alert').filter({ hasText: 'Another account' }).waitFor()
    },
  },
  {
    name: 'roles',
    who: reyes.username,
    path: '/people/roles',
    before: listed,
    act: (page) => page.getByRole('rowheader', { name: /End sign-ins/ }).waitFor(),
  },
  {
    name: 'care-teams',
    who: reyes.username,
    path: '/people/care-teams',
    before: listed,
    act: (page) => page.getByText('Find a patient, or choose a person').waitFor(),
  },
  {
    name: 'care-team',
    who: reyes.username,
    path: '/people/care-teams',
    before: listed,
    act: async (page) => {
      await page.getByLabel('Patient, by record number').fill('123 456')
      await page.getByRole('button', { name: 'Find', exact: true }).click()
      await page.getByRole('region', { name: 'Past' }).waitFor()
    },
  },
  {
    name: 'care-team-end',
    who: reyes.username,
    path: `/people/care-teams?patient=${PATIENT}`,
    before: listed,
    act: async (page) => {
      await page.getByRole('button', { name: 'End now: Astrid Lind' }).click()
      await page.getByRole('dialog').waitFor()
    },
  },
  {
    name: 'sign-ins',
    who: reyes.username,
    path: '/people/sign-ins',
    before: listed,
    act: (page) => page.getByText('2 open connections').waitFor(),
  },
  {
    name: 'connections',
    who: reyes.username,
    path: '/people/connections',
    before: (server) => {
      listed(server)
      const open = (id: number, user: string, address: string, hours: number) => ({
        ...{ id: fakeId(0x900 + id), user, address, session: 'A'.repeat(32), device: 'B'.repeat(43) },
        ...{ node: `${id % 2}fQz7Kd0wV1`, openedAt: shifted(-hours) },
      })
      const items = [
        open(1, lind.id, '10.20.4.17', 0.1),
        open(2, okafor.id, '10.20.9.201', 3),
        open(3, vega.id, '2001:db8::42', 8),
      ]
      server.http('GET /admin/connections', () => ({ status: 200, body: { items, next: 'more' } }))
    },
    act: (page) => page.getByText('2001:db8::42').waitFor(),
  },
  {
    name: 'sign-ins-failed',
    who: reyes.username,
    path: '/people/sign-ins',
    before: (server) => server.http('GET /admin/sessions', () => problemOf('unavailable')),
    act: (page) => page.getByRole('alert').first().waitFor({ timeout: 15_000 }),
  },
  {
    name: 'people-reset',
    who: reyes.username,
    path: '/people',
    before: (server) => {
      listed(server)
      server.http(`DELETE /admin/users/${lind.id}/factors`, () => problemOf('unavailable'))
    },
    act: async (page) => {
      await page.getByRole('button', { name: 'Reset second factors: Astrid Lind' }).click()
      await page.getByRole('button', { name: 'Reset', exact: true }).click()
      await page.getByRole('dialog').getByRole('alert').waitFor()
    },
  },
  {
    name: 'people-forbidden',
    who: reyes.username,
    path: '/people',
    before: (server) => {
      server.http('GET /admin/roles', () => problemOf('forbidden'))
      server.http('GET /admin/users', () => problemOf('forbidden'))
    },
    act: (page) => page.getByRole('alert').first().waitFor(),
  },
]
