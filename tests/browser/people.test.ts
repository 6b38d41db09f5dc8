import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, Page } from '@playwright/test'
import { page as pageOf, patientSummary } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { auditOf } from '../_util/audit.ts'
import { isLive, launchBrowser, type PersonInBrowser, signInAt } from '../_util/browser.ts'
import { addPatient, type TestPatient } from '../_util/patients.ts'
import { type Person, signedIn } from '../_util/person.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'
import { openSocket } from '../_util/socket.ts'

let server: TestServer
let browser: Browser
let admin: PersonInBrowser
let nurse: Person
let patient: TestPatient

beforeAll(async () => {
  server = await startTestServer()
  patient = await addPatient(server, 'riverside', { family: 'Kettle', given: 'Ann', mrn: '771204' })
  nurse = await signedIn(server, 'riverside/nurse.lind')
  browser = await launchBrowser()
  admin = await signInAt(browser, server.url, 'riverside/admin.reyes')
})

afterAll(async () => {
  await browser.close()
  await server.stop()
})

const findings = async (page: Page) => (await new AxeBuilder({ page }).analyze()).violations.map(({ id }) => id)

async function mine(): Promise<string[]> {
  const { body } = await nurse.call('GET', '/patients?limit=200')
  return pageOf(patientSummary)
    .parse(body)
    .items.map(({ id }) => id)
}

describe('who may sign in', () => {
  it('a person is given an account with roles, another role later, and is shut out', async () => {
    const { page } = admin
    await page.getByRole('link', { name: 'People', exact: true }).click()
    await page.getByRole('button', { name: 'New person' }).click()
    await page.getByLabel('User name').fill('nurse.adeyemi')
    await page.getByLabel('Name', { exact: true }).fill('Bola Adeyemi')
    await page.getByRole('checkbox', { name: /^Nurse/ }).check()
    await page.getByRole('button', { name: 'Create' }).click()
    await page.getByRole('dialog', { name: 'A link to set a password' }).getByRole('button', { name: 'Cancel' }).click()
    await page.getByText('Bola Adeyemi has an account.').waitFor()

    await page.getByRole('button', { name: 'Change: Bola Adeyemi' }).click()
    await page.getByRole('checkbox', { name: /^Physician/ }).check()
    await page.getByRole('checkbox', { name: /^Nurse/ }).uncheck()
    await page.getByRole('switch', { name: 'May sign in' }).uncheck()
    expect(await findings(page)).toEqual([])
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('Bola Adeyemi: saved, and in force.').waitFor()
    const row = page.getByRole('listitem').filter({ hasText: 'nurse.adeyemi' })
    expect(await row.textContent()).toMatch(/Disabled.*Physician/)
    expect(
      await auditOf(server, 'riverside', { action: 'user.create', actor: server.users.get('riverside/admin.reyes') }),
    ).toMatchObject([{ outcome: 'allowed' }])
  })

  it('somebody new sets their own password by a link, at a browser of their own, without a mouse', async () => {
    const { page } = admin
    await page.getByRole('link', { name: 'People', exact: true }).first().click()
    await page.getByRole('button', { name: 'New person' }).click()
    await page.getByLabel('User name').fill('nurse.balogun')
    await page.getByLabel('Name', { exact: true }).fill('Kemi Balogun')
    await page.getByRole('checkbox', { name: /^Nurse/ }).check()
    await page.getByRole('button', { name: 'Create' }).click()
    await page.getByRole('dialog', { name: 'A link to set a password: Kemi Balogun' }).waitFor()
    await page.getByRole('button', { name: 'Make the link' }).click()
    await page.getByText('This link is for Kemi Balogun alone').waitFor()
    const link = await page.getByRole('textbox', { name: 'Link' }).inputValue()
    const [, code = ''] = link.split('#')
    expect(code.length).toBeGreaterThan(40)
    expect(await findings(page)).toEqual([])
    await page.getByRole('button', { name: 'Done' }).click()

    const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 390, height: 844 } })
    const theirs = await context.newPage()
    const asked: string[] = []
    theirs.on('request', (request) => asked.push(request.url()))
    await theirs.goto(link)
    await theirs.getByRole('heading', { name: 'Set your password' }).waitFor()
    await expect.poll(() => theirs.evaluate('location.href')).toBe(`${server.url}/set-up`)
    expect(await findings(theirs)).toEqual([])
    const type = async (text: string) => {
      // The page itself has put the focus where one types.
      await theirs.locator('input:focus').waitFor()
      await theirs.keyboard.type(text)
      await theirs.keyboard.press('Enter')
    }
    await type('Password123')
    await theirs.getByRole('alert').getByText('one of the commonest').waitFor()
    await type('marsh otter teapot nine')
    await theirs.getByRole('status').getByText('Your password is set.').waitFor()
    expect(await theirs.getByLabel('User name').inputValue()).toBe('nurse.balogun')
    await type('marsh otter teapot nine')
    await isLive(theirs)
    expect(asked.filter((url) => url.includes(code))).toEqual([])

    await theirs.goto('about:blank')
    await theirs.goto(link)
    await theirs.getByRole('heading', { name: 'Set your password' }).waitFor()
    await type('another fine password')
    await theirs.getByRole('alert').getByText('This link serves no more').waitFor()
    await theirs.getByRole('button', { name: 'Go to sign-in' }).click()
    await isLive(theirs)
    await context.close()
  })

  it('what each role may do is read off a table', async () => {
    const { page } = admin
    await page.getByRole('link', { name: 'Roles' }).click()
    const table = page.getByRole('table', { name: 'What each role may do' })
    const row = table.getByRole('row').filter({ hasText: 'Write messages' })
    await row.waitFor()
    const roles = await table.getByRole('columnheader').allTextContents()
    const cells = await row.getByRole('cell').allTextContents()
    const may = (role: string) => cells[roles.indexOf(role) - 1]
    expect(may('Nurse')).toBe('yes')
    expect(may('Administrator')).toBe('no')
    expect(await table.getByText('Others', { exact: true }).count()).toBe(0)
    expect(await findings(page)).toEqual([])
  })
})

describe('[R-31] who cares for whom', () => {
  it('a patient is found by the whole record number, and somebody assigned until a time: they see the patient at once', async () => {
    const { page } = admin
    await page.getByRole('link', { name: 'Care teams' }).click()
    const number = page.getByRole('textbox', { name: 'Patient, by record number' })
    await number.fill('7712')
    await page.getByRole('button', { name: 'Find', exact: true }).click()
    await page.getByText('Nobody has this record number.').waitFor()
    await number.fill('771 204')
    await page.getByRole('button', { name: 'Find', exact: true }).click()
    await page.getByRole('group', { name: 'This patient' }).getByText('KETTLE, Ann').waitFor()
    await page.getByText('Nobody cares for this patient now.').waitFor()
    expect(page.url()).toContain(patient.id)
    expect(page.url()).not.toMatch(/771|kettle/i)
    expect(await page.title()).toBe('Wardline')

    const form = page.getByRole('form', { name: 'Assign somebody' })
    await form.getByRole('combobox', { name: 'Person' }).selectOption({ label: 'Astrid Lind' })
    await form.getByLabel('Until').fill('2099-01-31T07:00')
    await form.getByRole('button', { name: 'Assign' }).click()
    await page.getByText('Astrid Lind is assigned.').waitFor()
    await page.getByRole('region', { name: 'Now' }).getByText('until 31-Jan-2099 07:00').waitFor()
    expect(await mine()).toEqual([patient.id])
    expect(await findings(page)).toEqual([])
  })

  it('the same place twice is refused in words', async () => {
    const form = admin.page.getByRole('form', { name: 'Assign somebody' })
    await form.getByRole('combobox', { name: 'Person' }).selectOption({ label: 'Astrid Lind' })
    await form.getByRole('button', { name: 'Assign' }).click()
    await form.getByRole('alert').getByText('They have this place already').waitFor()
  })

  it('ended here, it is over at once', async () => {
    const { page } = admin
    await page.getByRole('button', { name: 'End now: Astrid Lind' }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'End now' }).click()
    await page.getByText('The assignment of Astrid Lind has ended.').waitFor()
    await page.getByRole('region', { name: 'Past' }).getByText('Astrid Lind').waitFor()
    expect(await mine()).toEqual([])
  })
})

describe('[R-19] who is signed in', () => {
  it('with their connections; one that is ended closes', async () => {
    const { page } = admin
    const socket = await openSocket(nurse)
    await page.getByRole('link', { name: 'Sign-ins' }).click()
    await page.getByRole('heading', { name: 'Sign-ins' }).waitFor()
    await page.getByRole('combobox', { name: 'Person', exact: true }).selectOption({ label: 'Astrid Lind' })
    await page.getByText('1 open connection').waitFor()
    expect(await findings(page)).toEqual([])
    await page
      .getByRole('button', { name: /^End now: Astrid Lind/ })
      .first()
      .click()
    await page.getByRole('dialog').getByRole('button', { name: 'End now' }).click()
    await page.getByText('That sign-in of Astrid Lind has ended.').waitFor()
    await page.getByText('Nobody is signed in.').waitFor()
    expect((await socket.closing()).code).toBe(4403)
  })

  it('by their sockets: one is ended with its sign-in', async () => {
    const { page } = admin
    const socket = await openSocket(await signedIn(server, 'riverside/nurse.lind'))
    await page.getByRole('link', { name: 'Connections' }).click()
    await page.getByRole('heading', { name: 'Connections' }).waitFor()
    await page.getByRole('combobox', { name: 'Person', exact: true }).selectOption({ label: 'Astrid Lind' })
    await page
      .getByRole('listitem')
      .filter({ hasText: /Astrid Lind.*open since.*from 127\.0\.0\.1/ })
      .waitFor()
    expect(page.url()).toContain(nurse.user.id)
    expect(await findings(page)).toEqual([])
    await page.getByRole('button', { name: /^End now: Astrid Lind/ }).click()
    await page.getByRole('dialog').getByRole('button', { name: 'End now' }).click()
    await page.getByText('That sign-in of Astrid Lind has ended, with its connections.').waitFor()
    await page.getByText('No connection is open.').waitFor()
    expect((await socket.closing()).code).toBe(4403)
  })

  it('on a phone each screen about people is in sight, however narrow', async () => {
    const { page } = admin
    const whole = page.viewportSize()
    for (const width of [390, 360, 240]) {
      await page.setViewportSize({ width, height: 800 })
      for (const name of ['People', 'Roles', 'Care teams', 'Sign-ins', 'Connections']) {
        const box = await page
          .getByRole('navigation', { name: 'People, roles and access' })
          .getByRole('link', { name, exact: true })
          .boundingBox()
        expect((box?.x ?? width) + (box?.width ?? 1), `${name} at ${width}`).toBeLessThanOrEqual(width)
      }
    }
    if (whole !== null) await page.setViewportSize(whole)
  })

  it('[R-53] without a complaint of the browser', () => {
    expect(admin.complaints).toEqual([])
  })
})
