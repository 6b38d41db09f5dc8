import type { Page } from '@playwright/test'
import type { FakeServer } from '@wardline/client/fake-server'
import { fakeId } from '@wardline/client/fake-server'
import { alertScenes } from './alerts.ts'
import { auditEvents, auditHistogram, auditHolds, auditReviews, patientPeople } from './audit-events.ts'
import { signIn } from './browser.ts'
import { factorScenes } from './factor-scenes.ts'
import { peopleScenes } from './people-scenes.ts'
import { sessionScenes } from './session-scenes.ts'
import {
  chen,
  directChannel,
  fillLongChannel,
  lind,
  longChannel,
  okafor,
  patientChannel,
  reyes,
  vega,
} from './world.ts'

/** One state of one screen: how to get there. */
export interface Scene {
  readonly name: string
  /** Who signs in; null stays outside. */
  readonly who: string | null
  readonly path: string
  /** Before the page is opened. */
  readonly before?: (server: FakeServer) => void
  /** Once the person is in. */
  readonly act?: (page: Page, server: FakeServer) => Promise<void>
}

const doe = `/c/${patientChannel(0)}`
const composer = (page: Page) => page.getByRole('textbox', { name: /^Message (about|to)/ })
const audit = (server: FakeServer) => {
  server.http('GET /admin/audit/checkpoint', () => ({
    status: 200,
    body: {
      origin: 'wardline/preview/audit',
      vkey: 'wardline/preview/audit+0+0',
      size: 50,
      checkpoint: '',
      witnessed: { size: 40, by: ['witness.example.net'], at: new Date().toISOString() },
    },
  }))
  server.http('GET /admin/audit/events', () => ({ status: 200, body: { items: auditEvents(60), next: 'older' } }))
  server.http('GET /admin/audit/histogram', () => ({ status: 200, body: auditHistogram() }))
  server.http('GET /admin/audit/filters', () => ({
    status: 200,
    body: {
      items: [
        { id: fakeId(0xf1), filter: { outcome: 'refused' }, days: 7, createdAt: new Date().toISOString() },
        {
          id: fakeId(0xf2),
          filter: { actor: lind.id, action: 'message.post' },
          days: null,
          createdAt: new Date().toISOString(),
        },
      ],
    },
  }))
  server.http('GET /admin/audit/reviews', () => ({ status: 200, body: auditReviews() }))
  server.http('GET /admin/audit/policy', () => ({ status: 200, body: { retentionYears: 6, reviewDays: 30 } }))
  server.http('GET /admin/audit/holds', () => ({ status: 200, body: auditHolds() }))
  server.http(`GET /admin/audit/reviews/${fakeId(0xe1)}/marks`, () => ({ status: 200, body: { items: [] } }))
  server.http(`GET /admin/audit/patients/${fakeId(0xc1)}/access`, () => ({
    status: 200,
    body: patientPeople(fakeId(0xc1)),
  }))
  server.http('GET /admin/audit/export', () => ({ status: 200, body: 'x' }))
}

export const scenes: readonly Scene[] = [
  { name: 'sign-in', who: null, path: '/' },
  {
    name: 'sign-in-wrong',
    who: null,
    path: '/',
    act: async (page) => {
      await page.getByLabel('Organisation').fill('riverside')
      await page.getByLabel('User name').fill('nurse.lind')
      await page.getByLabel('Password', { exact: true }).fill('wrong')
      await page.getByRole('button', { name: 'Sign in' }).click()
      await page.getByRole('alert').filter({ hasText: 'go together' }).waitFor()
    },
  },
  {
    name: 'inbox',
    who: lind.username,
    path: '/',
    act: (page) => page.getByRole('region', { name: 'Waits for you' }).waitFor(),
  },
  {
    name: 'inbox-empty',
    who: lind.username,
    path: '/',
    before: (server) => server.http('GET /channels', () => ({ status: 200, body: { items: [], next: null } })),
    act: (page) => page.getByText('No conversations yet').waitFor(),
  },
  {
    name: 'inbox-failed',
    who: lind.username,
    path: '/',
    before: (server) => server.http('GET /channels', () => ({ status: 500, body: '' })),
    act: (page) => page.getByText('Something failed').waitFor({ timeout: 15_000 }),
  },
  {
    name: 'conversation',
    who: lind.username,
    path: doe,
    act: async (page, server) => {
      await page.getByText('Sepsis bundle').waitFor()
      server.typing(patientChannel(0), okafor.id)
      await page.getByText('is typing').waitFor()
    },
  },
  {
    name: 'conversation-older',
    who: lind.username,
    path: doe,
    act: async (page) => {
      await page.getByText('Sepsis bundle').waitFor()
      await page.getByRole('region', { name: 'Messages' }).evaluate((list) => list.scrollBy(0, -700))
      await page.waitForTimeout(300)
    },
  },
  {
    name: 'conversation-about',
    who: lind.username,
    path: `${doe}/about`,
    act: (page) => page.getByText('Luis Vega').first().waitFor(),
  },
  {
    name: 'conversation-empty',
    who: lind.username,
    path: `/c/${patientChannel(5)}`,
    act: (page) => page.getByText('No messages yet').waitFor(),
  },
  {
    name: 'conversation-emergency',
    who: lind.username,
    path: `/c/${patientChannel(6)}`,
    act: (page) => page.getByText('EMERGENCY').waitFor(),
  },
  {
    name: 'conversation-forbidden',
    who: lind.username,
    path: '/c/00000000-0000-4000-8000-00000000dead',
    act: (page) => page.getByText('nothing here that you may see').waitFor(),
  },
  {
    name: 'composing-stat',
    who: lind.username,
    path: doe,
    act: async (page) => {
      await page.getByText('Sepsis bundle').waitFor()
      await composer(page).fill('Norepinephrine running at 0.05, MAP 66.\nSecond line in, cultures sent.')
      await page.getByRole('radio', { name: 'STAT' }).check({ force: true })
    },
  },
  {
    name: 'composing-intent',
    who: lind.username,
    path: doe,
    act: async (page, server) => {
      await page.getByText('Sepsis bundle').waitFor()
      server.send({ type: 'presence.changed', user: okafor.id, status: 'off-duty', cover: vega.id, until: null })
      server.send({ type: 'presence.changed', user: vega.id, status: 'available', cover: null, until: null })
      await composer(page).fill('Potassium 6.1 on the repeat. Please call.')
      await page.getByRole('combobox', { name: 'What you want of them' }).selectOption('concern')
      await page.getByText('Dr. Chidi Okafor is off duty; Luis Vega covers.').waitFor()
    },
  },
  {
    name: 'palette',
    who: lind.username,
    path: doe,
    act: async (page) => {
      await page.getByText('Sepsis bundle').waitFor()
      await page.keyboard.press('Control+k')
      await page.getByRole('combobox', { name: 'Go to or do' }).fill('o')
    },
  },
  {
    name: 'offline-unsent',
    who: lind.username,
    path: doe,
    act: async (page, server) => {
      await page.getByText('Sepsis bundle').waitFor()
      server.offline()
      await page.getByText('Reconnecting').waitFor()
      await composer(page).fill('Second line is in.')
      await composer(page).press('Enter')
      await composer(page).fill('Cultures ×2 sent 03:12.')
      await composer(page).press('Enter')
      await page.getByText('2 unsent').waitFor()
    },
  },
  {
    name: 'message-details',
    who: lind.username,
    path: doe,
    act: async (page) => {
      await page.getByText('Sepsis bundle').waitFor()
      await page.getByRole('button', { name: 'Details of your message' }).last().click()
      await page.getByRole('dialog').waitFor()
    },
  },
  {
    name: 'direct',
    who: lind.username,
    path: `/c/${directChannel}`,
    act: (page) => page.getByText('until 07:00').waitFor(),
  },
  {
    name: 'long',
    who: lind.username,
    path: `/c/${longChannel}`,
    before: (server) => fillLongChannel(server),
    act: (page) => page.getByText('(10000)').waitFor(),
  },
  {
    name: 'new-conversation',
    who: lind.username,
    path: '/',
    act: async (page) => {
      await page.getByRole('button', { name: 'New conversation' }).click()
      await page.getByRole('button', { name: /Vega/ }).click()
      await page.getByRole('button', { name: /Moss/ }).click()
    },
  },
  {
    name: 'account',
    who: lind.username,
    path: doe,
    act: (page) => page.getByRole('button', { name: 'You and this device' }).click(),
  },
  { name: 'shortcuts', who: lind.username, path: '/', act: (page) => page.keyboard.press('?') },
  {
    name: 'audit',
    who: chen.username,
    path: '/audit',
    before: audit,
    act: (page) => page.getByText('no-care-team').first().waitFor(),
  },
  {
    name: 'audit-patient',
    who: chen.username,
    path: `/audit?patient=${fakeId(0xc1)}`,
    before: audit,
    act: async (page) => {
      await page.getByRole('button', { name: 'Who saw this patient' }).first().click()
      await page.getByText('patient.read ×3').waitFor()
    },
  },
  {
    name: 'audit-connection',
    who: chen.username,
    path: '/audit?connection=00f1c2d3-aaaa-4bbb-8ccc-000000000000',
    before: (server) => {
      audit(server)
      const items = auditEvents(12).filter(({ actor }) => actor !== null)
      server.http('GET /admin/audit/events', () => ({ status: 200, body: { items, next: null } }))
    },
    act: (page) => page.getByText('That was all of this connection').waitFor(),
  },
  {
    name: 'audit-export',
    who: chen.username,
    path: '/audit?outcome=refused',
    before: audit,
    act: async (page) => {
      await page.getByRole('button', { name: 'Export' }).click()
      await page.getByRole('dialog').getByRole('button', { name: 'Export', exact: true }).click()
      await page.getByText('were saved').waitFor()
    },
  },
  {
    name: 'audit-review',
    who: chen.username,
    path: `/audit?review=${fakeId(0xe1)}`,
    before: audit,
    act: (page) => page.getByRole('button', { name: 'To be followed up' }).first().waitFor(),
  },
  {
    name: 'audit-reviews',
    who: chen.username,
    path: '/audit/reviews',
    before: audit,
    act: (page) => page.getByText('has been due').waitFor(),
  },
  {
    name: 'audit-keeping',
    who: reyes.username,
    path: '/audit/keeping',
    before: audit,
    act: (page) => page.getByText('Everything of the organisation').first().waitFor(),
  },
  {
    name: 'audit-forbidden',
    who: chen.username,
    path: '/audit?outcome=refused',
    before: (server) =>
      server.http('GET /admin/audit/events', () => ({
        status: 403,
        body: { type: 'urn:wardline:error:forbidden', title: 'x', status: 403, code: 'forbidden', retry: 'never' },
      })),
    act: (page) => page.getByText('You may not see this').waitFor(),
  },
  ...alertScenes,
  { name: 'admin-home', who: reyes.username, path: '/', act: (page) => page.getByText('by design').waitFor() },
  ...factorScenes,
  ...peopleScenes,
  ...sessionScenes,
]

/** Opens the page of a scene and plays it. */
export async function play(page: Page, origin: string, scene: Scene, server: FakeServer): Promise<void> {
  await page.goto(`${origin}${scene.path}`)
  if (scene.who !== null) await signIn(page, scene.who)
  await scene.act?.(page, server)
  await page.evaluate(() => document.fonts.ready)
}
