import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, Page } from '@playwright/test'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isLive, launchBrowser, type PersonInBrowser, signInAt } from '../_util/browser.ts'
import { addGroup } from '../_util/channels.ts'
import { PASSWORD, startTestServer, type TestServer } from '../_util/server.ts'

const WHO = 'riverside/nurse.lind'
let server: TestServer
let browser: Browser
let lind: PersonInBrowser
let second: Page
let group: string

beforeAll(async () => {
  server = await startTestServer()
  group = (await addGroup(server, WHO, 'riverside/physician.okafor')).id
  browser = await launchBrowser()
  lind = await signInAt(browser, server.url, WHO)
  second = await lind.context.newPage()
  await second.goto(server.url)
  await isLive(second)
})
afterAll(async () => {
  await browser.close()
  await server.stop()
})

const findings = async (page: Page) => (await new AxeBuilder({ page }).analyze()).violations.map(({ id }) => id)
const locked = (page: Page) => page.getByRole('heading', { name: 'Locked' })

/** As an administrator sets it, in seconds; the server goes by its own clock. */
async function lockAfter(idle: number, warning: number): Promise<void> {
  await server.database.query('UPDATE tenant_settings SET idle_seconds = $1, warning_seconds = $2', [idle, warning])
  await server.database.query('UPDATE tenants SET version = version + 1')
}

async function unlock(page: Page): Promise<void> {
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.keyboard.press('Enter')
  await isLive(page)
}

describe('R-21 automatic logoff in the browser', () => {
  it('warns, and a key is enough to stay', async () => {
    const { page } = lind
    await page.goto(`${server.url}/c/${group}`)
    await page.getByRole('textbox', { name: /^Message to/ }).fill('Lactate 2.8, BP 96/')
    await lockAfter(6, 4)
    await page.getByRole('heading', { name: 'Are you still there?' }).waitFor()
    await second.getByRole('heading', { name: 'Are you still there?' }).waitFor()
    expect(await findings(page)).toEqual([])
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Are you still there?' }).waitFor({ state: 'detached' })
    await second.getByRole('heading', { name: 'Are you still there?' }).waitFor({ state: 'detached' })
  })

  it('locks both tabs, with nothing of the conversation left on the page; the password opens both, and the draft is there', async () => {
    const { page } = lind
    await locked(page).waitFor()
    await locked(second).waitFor()
    expect(await page.content()).not.toContain('Lactate')
    expect(await findings(page)).toEqual([])
    const field = page.getByLabel('Password', { exact: true })
    expect(await field.evaluate((input) => input === document.activeElement)).toBe(true)
    expect(await field.getAttribute('autocomplete')).toBe('current-password')
    await lockAfter(600, 60)
    await page.keyboard.type('not this one')
    await page.keyboard.press('Enter')
    await page.getByRole('alert').getByText('not the right password').waitFor()
    await unlock(page)
    await isLive(second)
    const composer = page.getByRole('textbox', { name: /^Message to/ })
    await composer.waitFor()
    // It is unsealed a moment after the field is there.
    await expect.poll(() => composer.inputValue()).toBe('Lactate 2.8, BP 96/')
  })

  it('is locked by hand, and stays so when the page is loaded anew', async () => {
    const { page } = lind
    await page.getByRole('button', { name: 'You and this device' }).click()
    await page.getByRole('button', { name: 'Lock now' }).click()
    await locked(page).waitFor()
    await locked(second).waitFor()
    await second.reload()
    await locked(second).waitFor()
    await second.getByText('Astrid Lind is signed in here.').waitFor()
    await unlock(second)
    await isLive(page)
  })

  it('shows where one is signed in, and ends another sign-in of one’s own', async () => {
    const { page } = lind
    const elsewhere = await signInAt(browser, server.url, WHO)
    await page.getByRole('button', { name: 'You and this device' }).click()
    await page.getByRole('button', { name: 'Where you are signed in' }).click()
    await page.getByText('This one').waitFor()
    expect(await page.getByText('Chrome on Linux').count()).toBe(2)
    expect(await findings(page)).toEqual([])
    await page.getByRole('button', { name: 'End the sign-in of Chrome on Linux' }).click()
    await page.getByText('You are signed in here alone.').waitFor()
    await elsewhere.page.getByText('This session was ended').waitFor()
    await page.keyboard.press('Escape')
  })

  it('is set by an administrator, within bounds', async () => {
    const admin = await signInAt(browser, server.url, 'riverside/admin.reyes')
    const { page } = admin
    await page.getByRole('link', { name: 'Settings' }).click()
    const minutes = page.getByLabel('Lock after, in minutes without a sign of the person')
    await minutes.fill('90')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('This is out of bounds.').waitFor()
    await minutes.fill('5')
    await page.getByLabel('The session is used from another network').selectOption('end')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved, and in force.').waitFor()
    expect(await findings(page)).toEqual([])
    const rows = await server.database.query(
      `SELECT idle_seconds, on_network_change FROM tenant_settings JOIN tenants t ON t.id = tenant_id WHERE t.slug = 'riverside'`,
    )
    expect(rows).toEqual([{ idle_seconds: 300, on_network_change: 'end' }])
    expect(admin.complaints).toEqual([])
  })

  it('R-53 without a complaint of the browser, and without a request to anybody else', () => {
    expect(lind.complaints).toEqual([])
  })
})
