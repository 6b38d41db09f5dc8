import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, Page } from '@playwright/test'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchBrowser, type PersonInBrowser, signInAt } from '../_util/browser.ts'
import { addPatient, type TestPatient } from '../_util/patients.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'

let server: TestServer
let browser: Browser
let nurse: PersonInBrowser
let physician: PersonInBrowser
let patient: TestPatient

beforeAll(async () => {
  server = await startTestServer()
  const team = ['nurse.lind', 'physician.okafor', 'pharmacist.vega'] as const
  patient = await addPatient(server, 'riverside', { family: 'Kettle', given: 'Ann', mrn: '771204' }, ...team)
  browser = await launchBrowser()
  nurse = await signInAt(browser, server.url, 'riverside/nurse.lind')
  physician = await signInAt(browser, server.url, 'riverside/physician.okafor')
})

afterAll(async () => {
  await browser.close()
  await server.stop()
})

const findings = async (page: Page) => (await new AxeBuilder({ page }).analyze()).violations.map(({ id }) => id)

async function openByPalette({ page }: PersonInBrowser): Promise<void> {
  await page.getByRole('link', { name: /KETTLE/ }).waitFor()
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox', { name: 'Go to or do' }).fill('kettle 7712')
  await page.getByRole('option', { name: /KETTLE, Ann/ }).waitFor()
  await page.keyboard.press('Enter')
  await page.getByRole('textbox', { name: 'Message about KETTLE, Ann' }).waitFor()
}

describe('before a message is sent', () => {
  it('a conversation is a few letters away; the address names nobody', async () => {
    await openByPalette(nurse)
    await openByPalette(physician)
    expect(new URL(nurse.page.url()).pathname).toBe(`/c/${patient.channel}`)
    await nurse.page.keyboard.press('Control+k')
    await nurse.page.getByRole('combobox', { name: 'Go to or do' }).fill('lock')
    expect(await findings(nurse.page)).toEqual([])
    await nurse.page.keyboard.press('Escape')
  })

  it('[R-47] its sender sees who has gone off duty, and who covers', async () => {
    const { page } = nurse
    await page.getByText('Goes to').waitFor()
    await physician.page.getByRole('button', { name: 'You and this device' }).click()
    await physician.page.getByRole('radio', { name: 'Off duty' }).check({ force: true })
    await physician.page.getByRole('combobox', { name: 'Who covers for you' }).selectOption({ label: 'Marisol Vega' })
    await page.getByText('Dr. Chidi Okafor is off duty; Marisol Vega covers.').waitFor()
    expect(await findings(physician.page)).toEqual([])
    await physician.page.keyboard.press('Escape')
    await page.getByRole('region', { name: 'Care team' }).getByText('Off duty · Marisol Vega covers').waitFor()
  })

  it('says in a plain word what is wanted; who wants a call asks to be answered', async () => {
    const { page } = nurse
    await page.getByRole('textbox', { name: 'Message about KETTLE, Ann' }).fill('Potassium 6.1 on the repeat.')
    await page.getByRole('combobox', { name: 'What you want of them' }).selectOption({ label: 'Concern, call me' })
    expect(await page.getByRole('checkbox', { name: 'Ask for acknowledgement' }).isChecked()).toBe(true)
    expect(await findings(page)).toEqual([])
    await page.getByRole('button', { name: 'Send about KETTLE, Ann' }).click()
    const message = physician.page.getByRole('article').filter({ hasText: 'Potassium 6.1' })
    await message.getByText('Concern, call me').waitFor()
    await message.getByRole('button', { name: 'Call me' }).click()
    await message.getByText(/You acknowledged/).waitFor()
  })

  it('the inbox is narrowed to patients or colleagues', async () => {
    const { page } = nurse
    await page.getByRole('radio', { name: 'Colleagues' }).check({ force: true })
    await page.getByText('Nothing matches the filter.').waitFor()
    await page.getByRole('radio', { name: 'Patients' }).check({ force: true })
    await page.getByRole('link', { name: /KETTLE/ }).waitFor()
  })

  it('[R-53] without a complaint of the browser', () => {
    expect([...nurse.complaints, ...physician.complaints]).toEqual([])
  })
})
