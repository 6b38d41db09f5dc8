import type { Browser } from '@playwright/test'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
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
    await first.getByText(/^Verified here, in checkpoint [\d,.]+$/).waitFor()
    expect(complaints).toEqual([])
  })

  it('sees at once when the answer was tampered with on its way', async () => {
    const { page } = auditor
    await page.route('**/admin/audit/events/*/proof', async (route) => {
      const answer = await route.fetch()
      const body = (await answer.json()) as { entry: string }
      await route.fulfill({ response: answer, json: { ...body, entry: body.entry.replace('"allowed"', '"refused"') } })
    })
    const second = page.getByRole('row').nth(2)
    await second.getByRole('button', { name: /^Verify entry/ }).click()
    await second.getByText('NOT proved: this entry is not in the log').waitFor()
    await page.unroute('**/admin/audit/events/*/proof')
  })
})
