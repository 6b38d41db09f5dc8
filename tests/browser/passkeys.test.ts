import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, Page } from '@playwright/test'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { auditId } from '../../apps/server/src/audit/event.ts'
import { isLive, launchBrowser, type PersonInBrowser, signInAt } from '../_util/browser.ts'
import { PASSWORD, startTestServer, type TestServer } from '../_util/server.ts'
import { addAuthenticator, type VirtualAuthenticator } from '../_util/virtual-authenticator.ts'

let server: TestServer
let browser: Browser
let nurse: PersonInBrowser
let finger: VirtualAuthenticator

beforeAll(async () => {
  server = await startTestServer({ requireFactors: true })
  browser = await launchBrowser(server)
  nurse = await signInAt(browser, server.url, 'riverside/nurse.lind')
  finger = await addAuthenticator(nurse.page)
})

afterAll(async () => {
  await browser.close()
  await server.stop()
})

const findings = async (page: Page) => (await new AxeBuilder({ page }).analyze()).violations.map(({ id }) => id)

async function openFactors(page: Page): Promise<void> {
  await page.getByRole('button', { name: 'You and this device' }).click()
  await page.getByRole('button', { name: 'Second factors…' }).click()
}

/** Locks whatever sessions somebody has, as when nobody has been there for too long. */
async function lockAll(who: string): Promise<void> {
  const [slug = ''] = who.split('/')
  const [tenant = '', user = ''] = [server.tenants.get(slug), server.users.get(who)]
  const ids = await server.database.query<{ id: string }>(
    'SELECT id FROM sessions WHERE user_id = $1 AND ended_at IS NULL',
    [user],
  )
  for (const { id } of ids) await server.ctx.sessions.lock({ tenant, user, session: id }, { actor: auditId(user) })
}

/** Nobody touches the authenticator meanwhile, so that what the page asks it for by itself (among what is filled in) waits. */
async function signOut(page: Page): Promise<void> {
  await finger.touch(false)
  const before = await finger.asked()
  await page.getByRole('button', { name: 'You and this device' }).click()
  await page.getByRole('button', { name: 'Sign out' }).click()
  await page.getByLabel('User name').waitFor()
  await expect.poll(() => finger.asked()).toBeGreaterThan(before)
}

describe('R-11 a passkey in the browser', () => {
  it('is made from the account’s dialog, and recovery codes are shown once', async () => {
    const { page } = nurse
    await openFactors(page)
    await page.getByRole('button', { name: 'Add a passkey' }).click()
    await page.getByRole('heading', { name: 'Recovery codes' }).waitFor()
    expect(await page.locator('dialog li code').count()).toBe(10)
    expect(await finger.count()).toBe(1)
    expect(await findings(page)).toEqual([])
    await page.getByRole('button', { name: 'I have kept them' }).click()
    await openFactors(page)
    await page.getByText('Passkey, on one device or key').waitFor()
    expect(await findings(page)).toEqual([])
    await page.keyboard.press('Escape')
  })

  it('is the second step after the password, by keyboard', async () => {
    const { page } = nurse
    await signOut(page)
    expect(await page.getByLabel('User name').getAttribute('autocomplete')).toBe('username webauthn')
    await page.getByLabel('User name').fill('nurse.lind')
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await page.keyboard.press('Enter')
    const button = page.getByRole('button', { name: 'Use your passkey' })
    await button.waitFor()
    expect(await button.evaluate((each) => each === document.activeElement)).toBe(true)
    expect(await findings(page)).toEqual([])
    await finger.touch(true)
    await page.keyboard.press('Enter')
    await isLive(page)
  })

  it('signs in alone, without a name or a password', async () => {
    const { page } = nurse
    await signOut(page)
    const button = page.getByRole('button', { name: 'Use a passkey' })
    expect(await findings(page)).toEqual([])
    await finger.touch(true)
    await button.focus()
    await page.keyboard.press('Enter')
    await isLive(page)
  })

  it('stands among what the browser fills in: one that is chosen there signs in', async () => {
    const { page } = nurse
    await signOut(page)
    await finger.touch(true)
    await page.reload()
    await isLive(page)
  })

  it('of a finger that is not known opens nothing, and the page says so in words', async () => {
    const { page } = nurse
    await signOut(page)
    await finger.recognise(false)
    await page.getByLabel('User name').fill('nurse.lind')
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await page.keyboard.press('Enter')
    await finger.touch(true)
    await page.getByRole('button', { name: 'Use your passkey' }).click()
    await page.getByRole('alert').getByText('No passkey was shown').waitFor()
    await finger.recognise(true)
    await page.getByRole('button', { name: 'Use your passkey' }).click()
    await isLive(page)
  })

  it('[R-20] steps up, and what was begun goes on', async () => {
    const { page } = nurse
    await server.database.query(`UPDATE sessions SET auth_time = now() - interval '20 minutes' WHERE ended_at IS NULL`)
    await finger.touch(false)
    await page.reload()
    await isLive(page)
    await openFactors(page)
    await page.getByRole('button', { name: 'New recovery codes' }).click()
    await page.getByRole('heading', { name: 'Confirm that it is you' }).waitFor()
    expect(await findings(page)).toEqual([])
    await finger.touch(true)
    await page.keyboard.press('Enter')
    await page.getByRole('heading', { name: 'Recovery codes' }).waitFor()
    await page.getByRole('button', { name: 'I have kept them' }).click()
  })

  it('[R-21] opens a session that was locked, and no other finger does', async () => {
    const { page } = nurse
    await finger.touch(false)
    await lockAll('riverside/nurse.lind')
    await page.getByRole('heading', { name: 'Locked' }).waitFor()
    expect(await page.getByRole('button', { name: 'You and this device' }).count(), 'nothing of the app is left').toBe(
      0,
    )
    await page.getByRole('button', { name: 'Use a passkey' }).click()
    expect(await findings(page)).toEqual([])
    await finger.recognise(false)
    await finger.touch(true)
    const unlock = page.getByRole('button', { name: 'Unlock with a passkey' })
    expect(await unlock.evaluate((each) => each === document.activeElement)).toBe(true)
    await page.keyboard.press('Enter')
    await page.getByRole('alert').getByText('No passkey was shown').waitFor()
    await finger.recognise(true)
    await unlock.focus()
    await page.keyboard.press('Enter')
    await isLive(page)
  })

  it('is taken away in two steps', async () => {
    const { page } = nurse
    await openFactors(page)
    await page.getByRole('button', { name: 'Remove: Passkey' }).click()
    await page.getByRole('button', { name: 'Remove it for good: Passkey' }).click()
    await page.getByText('Signing in takes your password alone.').waitFor()
    await page.keyboard.press('Escape')
  })

  it('R-53 without a complaint of the browser, and without a request to anybody else', () => {
    expect(nurse.complaints).toEqual([])
  })
})

describe('R-11 somebody whose role demands a second factor', () => {
  it('enrols at the first sign-in, and is in', async () => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
    const page = await context.newPage()
    await page.goto(server.url)
    await addAuthenticator(page)
    await page.getByLabel('Organisation').fill('riverside')
    await page.getByLabel('User name').fill('auditor.chen')
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('heading', { name: 'One more step' }).waitFor()
    expect(await findings(page)).toEqual([])
    expect(await page.getByRole('status', { name: 'Connection' }).count()).toBe(0)
    await page.getByRole('button', { name: 'Add a passkey' }).click()
    await page.getByRole('heading', { name: 'Recovery codes' }).waitFor()
    await page.getByRole('button', { name: 'I have kept them' }).click()
    await isLive(page)
    await context.close()
  })
})

describe('R-11 an administrator at the screen of people', () => {
  it('demands a second factor of a role, and takes lost ones away', async () => {
    const context = await browser.newContext({ viewport: { width: 1280, height: 800 } })
    const page = await context.newPage()
    await page.goto(server.url)
    await addAuthenticator(page)
    await page.getByLabel('Organisation').fill('riverside')
    await page.getByLabel('User name').fill('admin.reyes')
    await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('button', { name: 'Add a passkey' }).click()
    await page.getByRole('button', { name: 'I have kept them' }).click()
    await page.getByRole('link', { name: 'People' }).click()
    await page.getByRole('link', { name: 'Roles' }).click()
    const pharmacists = page.getByRole('switch', { name: 'Needs a second factor: Pharmacist' })
    await pharmacists.click()
    const required = () =>
      server.database.query(`SELECT name FROM roles WHERE require_second_factor AND name = 'pharmacist'`)
    await expect.poll(required).toHaveLength(1)
    expect(await pharmacists.isChecked()).toBe(true)
    const tabs = page.getByRole('navigation', { name: 'People, roles and access' })
    await tabs.getByRole('link', { name: 'People' }).click()
    await page.getByRole('button', { name: 'Reset second factors: Wei Chen' }).click()
    expect(await findings(page)).toEqual([])
    await page.getByRole('button', { name: 'Reset', exact: true }).click()
    await page.getByText('Wei Chen has no second factor any more').waitFor()
    expect(await findings(page)).toEqual([])
    await context.close()
  })
})
