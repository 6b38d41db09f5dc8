import type { Page } from '@playwright/test'
import type { FakeServer } from '@wardline/client/fake-server'
import { alertScenes } from './alerts.ts'
import { auditScenes } from './audit-scenes.ts'
import { signIn } from './browser.ts'
import { factorScenes } from './factor-scenes.ts'
import { peopleScenes } from './people-scenes.ts'
import { sessionScenes } from './session-scenes.ts'
import { directChannel, fillLongChannel, lind, longChannel, okafor, patientChannel, reyes, vega } from './world.ts'

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
  ...auditScenes,
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
