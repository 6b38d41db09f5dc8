import { type FakeServer, problemOf } from '@wardline/client/fake-server'
import type { AdminUser, Role } from '@wardline/protocol'
import type { Scene } from './scenes.ts'
import { chen, lind, okafor, reyes, vega } from './world.ts'

const ROLES = {
  administrator: 'Runs the system; reads no messages',
  auditor: 'Reviews what happened; changes nothing',
  nurse: 'Cares for patients and carries out orders',
  physician: 'Treats patients and writes orders',
}

const roles: Role[] = Object.entries(ROLES).map(([name, label], at) => ({
  name,
  label,
  system: true,
  permissions: Array.from({ length: 12 + at }, () => 'x'),
  requireSecondFactor: at < 2,
}))

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
