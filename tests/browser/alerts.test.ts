import type { Browser } from '@playwright/test'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchBrowser, type PersonInBrowser, signInAt } from '../_util/browser.ts'
import { type Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'

let server: TestServer
let browser: Browser
let admin: PersonInBrowser
let nurse: Person

beforeAll(async () => {
  const alerts = {
    run: 'embedded',
    staleMs: 600_000,
    webhookNetworks: ['127.0.0.1', '::1'],
    webhookCaFile: null,
  } as const
  server = await startTestServer({ config: { sequencer: 'embedded', alerts } })
  nurse = await signedIn(server, 'riverside/nurse.lind')
  browser = await launchBrowser()
  admin = await signInAt(browser, server.url, 'riverside/admin.reyes')
})
afterAll(async () => {
  await browser.close()
  await server.stop()
})

describe('R-74 an administrator at a browser', () => {
  it('sees an alarm ring wherever they are, opens it, looks after it and closes it', async () => {
    const { page, complaints } = admin
    const link = page.getByRole('link', { name: /^Alerts/ })
    await link.waitFor()
    const twisted = { claims: { jti: 'replayed-0123456789-0123456789' } }
    for (let n = 0; n < 2; n += 1) await nurse.call('GET', '/me', { twisted })
    await page.getByRole('link', { name: /^Alerts\s*, 1 alert nobody has acknowledged$/ }).waitFor()
    await link.click()
    await page.getByRole('link', { name: /A proof was used twice/ }).click()
    await page.getByRole('heading', { name: 'What to do' }).waitFor()
    const events = page.getByRole('region', { name: 'Its events' })
    await events.getByRole('cell', { name: 'proof-replay' }).waitFor()
    await page.getByRole('button', { name: 'Acknowledge' }).click()
    await page.getByText(/has looked after it since/).waitFor()
    // Nobody is called any more.
    await page.getByRole('link', { name: 'Alerts', exact: true }).waitFor()
    await page.getByLabel('Close as').selectOption({ label: 'False alarm' })
    await page.getByRole('button', { name: 'Close', exact: true }).click()
    await page.getByText(/closed it at .*false alarm/).waitFor()
    await page.getByText('Nothing to look at').waitFor()
    expect(complaints).toEqual([])
  })

  it('goes from an alert to all that happened around it', async () => {
    const { page } = admin
    await page.getByRole('link', { name: /in the audit$/ }).click()
    await page.waitForURL(/\/audit\?.*actor=/)
    await page.getByRole('cell', { name: 'proof-replay' }).first().waitFor()
  })

  it('sets who is told, and sees the secret once', async () => {
    const { page, complaints } = admin
    await page.goto(`${server.url}/alerts`)
    await page.getByRole('button', { name: 'Who is told' }).click()
    await page.getByLabel('Address (https)').fill('https://10.0.0.1/hook')
    await page.getByRole('button', { name: 'Save' }).first().click()
    await page.getByText('It has to begin with https://').waitFor()
    await page.getByLabel('Address (https)').fill('https://localhost:9/hook')
    await page.getByRole('button', { name: 'Save' }).first().click()
    await page.getByText(/^whsec_/).waitFor()
    await page.getByRole('button', { name: 'Send a test' }).click()
    await page.getByText(/nothing listens there; again at/).waitFor()
    await page.getByRole('button', { name: 'Close' }).first().click()
    await page.getByRole('button', { name: 'Who is told' }).click()
    await page.getByLabel('Address (https)').waitFor()
    expect(await page.getByText(/^whsec_/).count()).toBe(0)
    expect(complaints).toEqual([])
  })
})
