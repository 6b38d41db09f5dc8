import { type FakeServer, problemOf } from '@wardline/client/fake-server'
import type { Scene } from './scenes.ts'
import { lind, patientChannel, reyes } from './world.ts'

const doe = `/c/${patientChannel(0)}`
const SETTINGS = {
  idleSeconds: 600,
  warningSeconds: 60,
  sessionSeconds: 43_200,
  accessTokenSeconds: 300,
  stepUpSeconds: 900,
  onNetworkChange: 'renew',
  onAgentChange: 'step-up',
  onPasswordChange: 'renew',
  onRoleChange: 'renew',
}
/** A workstation, a telephone, and one that was left alone. */
const signIns = (server: FakeServer) =>
  server.http('GET /me/sessions', () => {
    const at = (minutesAgo: number) => new Date(Date.now() - minutesAgo * 60_000).toISOString()
    const of = (id: string, agent: string, address: string, minutes: number, current: boolean, locked: boolean) => ({
      ...{ id, user: lind.id, current, createdAt: at(minutes + 180), lastSeenAt: at(minutes), expiresAt: at(-600) },
      ...{ lastActiveAt: at(minutes), locked, agent, address, device: lind.id, sockets: 1 },
    })
    const items = [
      of('a', 'firefox/linux', '10.20.4.17', 0, true, false),
      of('b', 'safari/ios', '10.20.9.201', 12, false, true),
      of('c', 'edge/windows', '192.0.2.44', 300, false, false),
    ]
    return { status: 200, body: { items, next: null } }
  })

/** How long a sign-in lasts, and where one is signed in. */
export const sessionScenes: readonly Scene[] = [
  {
    name: 'locked',
    who: lind.username,
    path: doe,
    act: async (page, server) => {
      await page.getByText('Sepsis bundle').waitFor()
      server.lock('locked-idle')
      await page.getByRole('heading', { name: 'Locked' }).waitFor()
      await page.getByText('Nobody was here').waitFor()
    },
  },
  {
    name: 'set-up',
    who: null,
    path: '/set-up#a-code',
    before: (server) => server.http('POST /auth/set-up', () => problemOf('invalid', 'password-common')),
    act: async (page) => {
      await page.getByLabel('New password').fill('Password123')
      await page.getByRole('button', { name: 'Set the password' }).click()
      await page.getByText('one of the commonest').waitFor()
    },
  },
  {
    name: 'set-up-over',
    who: null,
    path: '/set-up#a-code',
    before: (server) => server.http('POST /auth/set-up', () => problemOf('unauthenticated')),
    act: async (page) => {
      await page.getByLabel('New password').fill('marsh otter teapot nine')
      await page.getByRole('button', { name: 'Set the password' }).click()
      await page.getByText('serves no more').waitFor()
    },
  },
  {
    name: 'set-up-done',
    who: null,
    path: '/set-up#a-code',
    before: (server) =>
      server.http('POST /auth/set-up', () => ({
        status: 200,
        body: { tenant: 'riverside', username: lind.username },
      })),
    act: async (page) => {
      await page.getByLabel('New password').fill('marsh otter teapot nine')
      await page.getByRole('button', { name: 'Set the password' }).click()
      await page.getByText('Your password is set').waitFor()
    },
  },
  {
    name: 'lock-warning',
    who: lind.username,
    path: doe,
    act: async (page, server) => {
      await page.getByText('Sepsis bundle').waitFor()
      server.warn('idle', 52_000)
      await page.getByRole('heading', { name: 'Are you still there?' }).waitFor()
    },
  },
  {
    name: 'session-ending',
    who: lind.username,
    path: doe,
    act: async (page, server) => {
      await page.getByText('Sepsis bundle').waitFor()
      server.warn('end', 5 * 60_000)
      await page.getByRole('heading', { name: 'Your session ends soon' }).waitFor()
    },
  },
  {
    name: 'sessions',
    who: lind.username,
    path: doe,
    before: signIns,
    act: async (page) => {
      await page.getByRole('button', { name: 'You and this device' }).click()
      await page.getByRole('button', { name: 'Where you are signed in' }).click()
      await page.getByText('This one').waitFor()
    },
  },
  {
    name: 'sign-in-settings',
    who: reyes.username,
    path: '/settings',
    before: (server) => server.http('GET /admin/settings', () => ({ status: 200, body: SETTINGS })),
    act: (page) => page.getByRole('button', { name: 'Save' }).waitFor(),
  },
  {
    name: 'signed-out-elsewhere',
    who: lind.username,
    path: doe,
    act: async (page, server) => {
      server.endSessions()
      server.closeAll(4403)
      await page.getByText('This session was ended').waitFor()
    },
  },
]
