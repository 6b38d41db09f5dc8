import { readFile } from 'node:fs/promises'
import type { Browser } from '@playwright/test'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { generateNoteKey } from '../../packages/transparency-log/src/index.ts'
import { launchBrowser, type PersonInBrowser, signInAt } from '../_util/browser.ts'
import { addPatient, type TestPatient } from '../_util/patients.ts'
import { signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'

let server: TestServer
let browser: Browser
let auditor: PersonInBrowser
let patient: TestPatient

beforeAll(async () => {
  server = await startTestServer({ config: { sequencer: 'embedded' } })
  patient = await addPatient(server, 'riverside', { family: 'Doe', given: 'Jane', mrn: '123 456' }, 'nurse.lind')
  const nurse = await signedIn(server, 'riverside/nurse.lind')
  for (let n = 0; n < 5; n += 1) await nurse.call('GET', `/patients/${patient.id}`)
  browser = await launchBrowser()
  auditor = await signInAt(browser, server.url, 'riverside/auditor.chen')
})

afterAll(async () => {
  await browser.close()
  await server.stop()
})

describe('R-72 R-73 an auditor at a browser', () => {
  it('verifies a row with this device’s own arithmetic, under the strict policy of the page', async () => {
    const { page, complaints } = auditor
    await page.goto(`${server.url}/audit?patient=${patient.id}&action=patient.read`)
    const first = page.getByRole('row').nth(1)
    const verify = first.getByRole('button', { name: /^Verify entry [\d,.]+ on this device$/ })
    // Under a checkpoint within a second; the list is as of when it was read.
    for (; !(await verify.isVisible()); await page.getByRole('button', { name: 'Refresh' }).click()) {
      await first.getByText(/in checkpoint|waits for|not in the log/).waitFor()
    }
    await verify.click()
    await first.getByText(/^Verified here, in checkpoint [\d,.]+; its key is new to this device$/).waitFor()
    expect(complaints).toEqual([])
  })

  it('says against which key, since when; and takes the one that the auditor was given by another way', async () => {
    const { page, complaints } = auditor
    await page.getByText(/, seen first /).click()
    const vkey = await page.evaluate(() => localStorage.getItem('wardline.audit-key') ?? '')
    await page.getByText(vkey, { exact: true }).waitFor()
    const give = async (key: string) => {
      await page.getByLabel('The log’s key as you were given it').fill(key)
      await page.getByRole('button', { name: 'Check against this key' }).click()
    }
    const verify = async (row: number, verdict: string | RegExp) => {
      const one = page.getByRole('row').nth(row)
      await one.getByRole('button', { name: /^Verify entry/ }).click()
      await one.getByText(verdict).waitFor()
    }
    await give(vkey.slice(0, -2))
    await page.getByText('That is no key of a log.').waitFor()
    await give(generateNoteKey(vkey.split('+')[0] ?? '').vkey)
    await page.getByText(/, which was given here /).waitFor()
    await verify(2, 'NOT proved: the log’s key is not the one this device knows')
    await give(vkey)
    await page.getByText(`Proofs are checked against key ${vkey.split('+')[1]}, which was given here`).waitFor()
    await verify(3, /^Verified here, in checkpoint [\d,.]+$/)
    expect(complaints).toEqual([])
  })

  it('sees at once when the answer was tampered with on its way', async () => {
    const { page } = auditor
    await page.route('**/admin/audit/events/*/proof', async (route) => {
      const answer = await route.fetch()
      const body = (await answer.json()) as { entry: string }
      await route.fulfill({ response: answer, json: { ...body, entry: body.entry.replace('"allowed"', '"refused"') } })
    })
    const second = page.getByRole('row').nth(4)
    await second.getByRole('button', { name: /^Verify entry/ }).click()
    await second.getByText('NOT proved: this entry is not in the log').waitFor()
    await page.unroute('**/admin/audit/events/*/proof')
  })

  it('R-73 sees who saw the patient, and saves what the filters match as a file', async () => {
    const { page, complaints } = auditor
    await page.goto(`${server.url}/audit?action=patient.read`)
    const field = page.getByLabel('Patient (record number or id)')
    await field.fill('999')
    await page.getByRole('button', { name: 'Apply' }).click()
    await page.getByText('No patient has this record number.').waitFor()
    await field.fill('123 456')
    await page.getByRole('button', { name: 'Apply' }).click()
    await page.waitForURL((url) => url.searchParams.get('patient') === patient.id)
    expect(page.url()).not.toMatch(/123(?:\+|%20)?456/)
    await page.getByRole('button', { name: 'Who saw this patient', exact: true }).first().click()
    await page.getByRole('row', { name: /Astrid Lind.*patient\.read ×5/ }).waitFor()
    await page.getByRole('button', { name: 'Export' }).click()
    const dialog = page.getByRole('dialog')
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      dialog.getByRole('button', { name: 'Export', exact: true }).click(),
    ])
    await dialog.getByText('5 events were saved.').waitFor()
    expect(download.suggestedFilename()).toBe('audit.csv')
    const lines = (await readFile((await download.path()) ?? '', 'utf8')).trim().split('\r\n')
    expect(lines).toHaveLength(6)
    expect(lines[1]).toContain('"Astrid Lind"')
    expect(complaints).toEqual([])
    await page.keyboard.press('Escape')
  })

  it('R-76 an administrator keeps the audit for longer, and holds what is about a patient until it is released', async () => {
    const { page, complaints, context } = await signInAt(browser, server.url, 'riverside/admin.reyes')
    await page.goto(`${server.url}/audit/keeping`)
    await page.getByLabel('Kept for (years)').fill('5')
    await page.getByText('Six years or more, up to a hundred.').waitFor()
    await page.getByLabel('Kept for (years)').fill('10')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Saved.').waitFor()
    await page.getByLabel('Patient (record number or id)').fill('123 456')
    await page.getByRole('button', { name: 'Hold what is about this patient' }).click()
    const hold = page.getByRole('listitem').filter({ hasText: `What is about patient ${patient.id}` })
    await hold.getByRole('button', { name: 'Release' }).click()
    await hold.getByText(/^Released by Elena Reyes, /).waitFor()
    const held = await server.database.query('SELECT patient_id FROM audit_holds WHERE released_at IS NOT NULL')
    expect(held).toEqual([{ patient_id: patient.id }])
    expect(await server.database.query('SELECT retention_years FROM audit_policies')).toEqual([{ retention_years: 10 }])
    await page.goto(`${server.url}/audit/keeping`)
    await expect.poll(() => page.getByLabel('Kept for (years)').inputValue()).toBe('10')
    await auditor.page.goto(`${server.url}/audit/keeping`)
    await auditor.page.getByText(`What is about patient ${patient.id}`).waitFor()
    expect(await auditor.page.getByRole('button', { name: /^(?:Save|Hold|Release)/ }).count()).toBe(0)
    expect(complaints).toEqual([])
    await context.close()
  })

  it('R-73 opens a review, marks an event, and signs it off', async () => {
    const { page, complaints } = auditor
    await page.goto(`${server.url}/audit/reviews`)
    await page.getByRole('button', { name: 'Open a review' }).click()
    const flag = page.getByRole('button', { name: 'To be followed up' }).last()
    await flag.click()
    await page.locator('button[aria-pressed=true][aria-label="To be followed up"]').waitFor()
    await page.getByRole('link', { name: 'To the reviews' }).click()
    await page.getByRole('button', { name: 'Sign off' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'Sign off' }).click()
    await page.getByText(/^Signed off by .*, log of [\d,.]+ entries$/).waitFor()
    expect(complaints).toEqual([])
  })
})
