import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, Page } from '@playwright/test'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { codeAt, STEP_MS, wrongCodeAt } from '../_util/authenticator.ts'
import { isLive, launchBrowser, type PersonInBrowser, signInAt } from '../_util/browser.ts'
import { PASSWORD, startTestServer, type TestServer } from '../_util/server.ts'

let server: TestServer
let browser: Browser
let admin: PersonInBrowser
let secret: string
let recovery: string[]

beforeAll(async () => {
  server = await startTestServer()
  browser = await launchBrowser()
  admin = await signInAt(browser, server.url, 'riverside/admin.reyes')
})

afterAll(async () => {
  await browser.close()
  await server.stop()
})

const findings = async (page: Page) => (await new AxeBuilder({ page }).analyze()).violations.map(({ id }) => id)

async function signOut(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'You and this device' }).click()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByLabel('User name').waitFor()
}

/** By keys alone, as far as the second step. */
async function typePassword(page: Page): Promise<void> {
  await page.getByLabel('User name').fill('admin.reyes')
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'Second step' }).waitFor()
}

describe('R-11 a second factor in the browser', () => {
  it('is set up from the account’s dialog: picture, text and link, then the first code, then recovery codes', async () => {
    const { page } = admin
    await page.getByRole('button', { name: 'You and this device' }).click()
    await page.getByRole('button', { name: 'Second factors…' }).click()
    await page.getByRole('button', { name: 'Set up an authenticator app' }).click()
    await page.getByRole('img', { name: /QR code/ }).waitFor()
    const uri = new URL((await page.getByRole('link', { name: /Open in an app/ }).getAttribute('href')) ?? '')
    secret = uri.searchParams.get('secret') ?? ''
    const shown = await page.locator('dialog code').textContent()
    expect(shown?.replaceAll(' ', '')).toBe(secret)
    expect(await findings(page)).toEqual([])
    const code = page.getByLabel('Code that the app shows')
    await code.fill(wrongCodeAt(secret, Date.now()))
    await page.keyboard.press('Enter')
    await page.getByText('This code is not right').waitFor()
    await code.fill(codeAt(secret, Date.now() - STEP_MS))
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Recovery codes' }).waitFor()
    recovery = await page.locator('dialog li code').allTextContents()
    expect(recovery).toHaveLength(10)
    expect(await findings(page)).toEqual([])
    await page.getByRole('button', { name: 'I have kept them' }).click()
  })

  it('is asked for at the next sign-in, by keyboard, with the spaces that apps show', async () => {
    const { page } = admin
    await signOut(page)
    await typePassword(page)
    const field = page.getByLabel('Code', { exact: true })
    expect(await field.evaluate((input) => input === document.activeElement)).toBe(true)
    expect(await field.getAttribute('autocomplete')).toBe('one-time-code')
    expect(await findings(page)).toEqual([])
    await page.keyboard.type(wrongCodeAt(secret, Date.now()))
    await page.keyboard.press('Enter')
    await page.getByRole('alert').getByText('This code is not right').waitFor()
    await page.keyboard.type(codeAt(secret, Date.now()).replace(/^.{3}/, '$& '))
    await page.keyboard.press('Enter')
    await isLive(page)
  })

  it('a recovery code does in its place', async () => {
    const { page } = admin
    await signOut(page)
    await typePassword(page)
    await page.getByRole('button', { name: 'Use a recovery code' }).click()
    await page.getByLabel('Recovery code', { exact: true }).fill(recovery[0] ?? '')
    await page.keyboard.press('Enter')
    await isLive(page)
    await page.getByRole('button', { name: 'You and this device' }).click()
    await page.getByRole('button', { name: 'Second factors…' }).click()
    await page.getByText('9 recovery codes are left.').waitFor()
    expect(await findings(page)).toEqual([])
    await page.keyboard.press('Escape')
  })

  it('R-10 a common password is refused in words; another is taken', async () => {
    const { page } = admin
    await page.getByRole('button', { name: 'You and this device' }).click()
    await page.getByRole('button', { name: 'Change password…' }).click()
    await page.getByLabel('Current password').fill(PASSWORD)
    await page.getByLabel('New password').fill('Password123')
    await page.keyboard.press('Enter')
    await page.getByText('one of the commonest passwords').waitFor()
    expect(await findings(page)).toEqual([])
    await page.getByLabel('New password').fill('the river runs by')
    await page.keyboard.press('Enter')
    await page.getByText('Your password is changed.').waitFor()
  })

  it('[R-20] what needs a fresh proof asks for it, and goes on with what was begun', async () => {
    const { page } = admin
    await server.database.query(`UPDATE sessions SET auth_time = now() - interval '20 minutes' WHERE ended_at IS NULL`)
    await page.reload()
    await isLive(page)
    await page.getByRole('button', { name: 'You and this device' }).click()
    await page.getByRole('button', { name: 'Second factors…' }).click()
    await page.getByRole('button', { name: 'Remove: Authenticator app' }).click()
    await page.getByRole('button', { name: 'Remove it for good: Authenticator app' }).click()
    await page.getByRole('heading', { name: 'Confirm that it is you' }).waitFor()
    expect(await findings(page)).toEqual([])
    await page.getByLabel('Code of your authenticator app').fill(codeAt(secret, Date.now() + STEP_MS))
    await page.keyboard.press('Enter')
    await page.getByRole('button', { name: 'Set up an authenticator app' }).waitFor()
  })

  it('R-53 without a complaint of the browser, and without a request to anybody else', () => {
    expect(admin.complaints).toEqual([])
  })
})
