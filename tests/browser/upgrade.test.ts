import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, Page, Route } from '@playwright/test'
import { DEFAULT_LIMITS } from '@wardline/protocol'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isLive, launchBrowser, type PersonInBrowser, signInAt } from '../_util/browser.ts'
import { addPatient } from '../_util/patients.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'

let server: TestServer
let browser: Browser
let nurse: PersonInBrowser

/** A server that is newer than the page: it has a limit that the page has never heard of. */
const newer = { ...DEFAULT_LIMITS, lettersPerHour: 60 }

beforeAll(async () => {
  server = await startTestServer({ config: { limits: newer } })
  await addPatient(server, 'riverside', { family: 'Kettle', given: 'Ann', mrn: '771204' }, 'nurse.lind')
  browser = await launchBrowser()
  nurse = await signInAt(browser, server.url, 'riverside/nurse.lind')
})

afterAll(async () => {
  await browser.close()
  await server.stop()
})

const field = (page: Page) => page.getByRole('textbox', { name: 'Message about KETTLE, Ann' })
const notice = (page: Page) => page.getByRole('complementary', { name: 'New version' })

/** From now on the server has another build: who asks for `/` finds another file named. The page that is open has another address. */
async function upgrade(page: Page, to: string): Promise<void> {
  await page.route(`${server.url}/`, async (route) => {
    const answer = await route.fetch()
    const body = (await answer.text()).replaceAll(/\/assets\/index-[\w-]+/g, `/assets/index-${to}`)
    await route.fulfill({ response: answer, body })
  })
}

/** The page's socket, and all that the server has said on it. `alter`: what becomes of that on its way. */
const line = { cut: () => {}, away: false, said: '', alter: (text: string) => text }

/** From the next load on the page's sockets pass by here, and it asks for the build soon, not within half a minute. */
async function holdLine(page: Page): Promise<void> {
  await page.addInitScript(() => {
    Math.random = () => 0.01
  })
  await page.routeWebSocket(/./, (socket) => {
    if (line.away) return void socket.close()
    const behind = socket.connectToServer()
    behind.onMessage((text) => {
      line.said += String(text)
      socket.send(line.alter(String(text)))
    })
    line.cut = () => void socket.close({ code: 1012 })
  })
}

/** The line goes and comes back, as when a server is started anew. */
async function comeBack(page: Page): Promise<void> {
  const asked = page.waitForResponse(`${server.url}/`)
  line.cut()
  expect(await (await asked).text()).toContain('/assets/index-')
  await isLive(page)
}

describe('a page over an upgrade of its server', () => {
  it('[P9] comes live though the server states a limit that it does not know', async () => {
    await holdLine(nurse.page)
    await nurse.page.reload()
    await isLive(nurse.page)
    expect(line.said).toContain('"lettersPerHour":60')
  })

  it('says nothing where the build is the same', async () => {
    const { page } = nurse
    await comeBack(page)
    await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn))))
    expect(await notice(page).count()).toBe(0)
  })

  it('says that there is another build, and leaves whoever writes where they are', async () => {
    const { page } = nurse
    await page.getByRole('link', { name: /KETTLE/ }).click()
    await field(page).fill('BP 92/60, coming')
    await upgrade(page, 'NEW00001')
    await comeBack(page)
    await notice(page).getByText('Wardline was updated. Reload to have the new version.').waitFor()
    await page.keyboard.type(' up')
    expect(await field(page).evaluate((node) => node === document.activeElement)).toBe(true)
    expect(await field(page).inputValue()).toBe('BP 92/60, coming up')
    expect((await new AxeBuilder({ page }).analyze()).violations.map(({ id }) => id)).toEqual([])
  })

  it('is put away for this build, and says it again for the next', async () => {
    const { page } = nurse
    await notice(page).getByRole('button', { name: 'Not now' }).click()
    expect(await notice(page).count()).toBe(0)
    expect(await field(page).evaluate((node) => node === document.activeElement)).toBe(true)
    await upgrade(page, 'NEW00002')
    await comeBack(page)
    await notice(page).waitFor()
  })

  it('says so too where it cannot read its welcome, and so never is live', async () => {
    const { page } = nurse
    await notice(page).getByRole('button', { name: 'Not now' }).click()
    await upgrade(page, 'NEW00003')
    line.alter = (text) => text.replace('"limits":', '"weather":"fair","limits":')
    line.cut()
    await notice(page).waitFor()
    await page.getByRole('status', { name: 'Connection' }).getByText('Reconnecting…').waitFor()
    line.alter = (text) => text
  })

  it('is not reloaded while there is no server to load from', async () => {
    const { page } = nurse
    line.away = true
    line.cut()
    const gone = (route: Route) => route.abort()
    await page.route(`${server.url}/`, gone)
    await notice(page).getByRole('button', { name: 'Reload' }).click()
    await notice(page).getByText('nothing was reloaded').waitFor()
    await page.unroute(`${server.url}/`, gone)
    expect(await field(page).inputValue()).toBe('BP 92/60, coming up')
  })

  it('is reloaded with its draft, and with what was not sent yet', async () => {
    const { page } = nurse
    await page.getByRole('button', { name: 'Send about KETTLE, Ann' }).click()
    const unsent = page.getByRole('status', { name: 'Connection' }).getByText('1 unsent')
    await unsent.waitFor()
    await field(page).fill('Potassium next')
    const loaded = page.waitForEvent('load')
    await notice(page).getByRole('button', { name: 'Reload' }).click()
    await loaded
    await unsent.waitFor()
    await expect.poll(() => field(page).inputValue()).toBe('Potassium next')
    line.away = false
    await isLive(page)
    await page.getByRole('article').filter({ hasText: 'BP 92/60, coming up' }).waitFor()
  })

  it('[R-53] without a complaint of the browser', () => {
    expect(nurse.complaints).toEqual([])
  })
})
