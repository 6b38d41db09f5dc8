import type { Browser, Page } from '@playwright/test'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { isLive, launchBrowser, type PersonInBrowser, signInAt } from '../_util/browser.ts'
import { createFaultyLink, type FaultyLink } from '../_util/faulty-link.ts'
import { freePort } from '../_util/free-port.ts'
import { addPatient } from '../_util/patients.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'

/** The nurse's node, reached over a line that can be cut; and the node of everybody else, on the same database. */
let server: TestServer
let other: TestServer
let browser: Browser
let link: FaultyLink
let nurse: PersonInBrowser
let physician: PersonInBrowser

beforeAll(async () => {
  const port = await freePort()
  link = await createFaultyLink(`https://localhost:${port}`)
  server = await startTestServer({ config: { port, publicUrl: new URL(link.url).origin } })
  other = await startTestServer({ beside: server })
  await addPatient(
    server,
    'riverside',
    { family: 'Doe', given: 'Jane', mrn: '123 456' },
    'nurse.lind',
    'physician.okafor',
  )
  await addPatient(server, 'riverside', { family: 'Roe', given: 'Ann', mrn: '777 001' }, 'physician.okafor')
  browser = await launchBrowser()
  nurse = await signInAt(browser, server.url, 'riverside/nurse.lind')
  physician = await signInAt(browser, other.url, 'riverside/physician.okafor')
  for (const { page } of [nurse, physician]) await openDoe(page)
})

afterAll(async () => {
  await browser.close()
  await link.close()
  await other.stop()
  await server.stop()
})

async function openDoe(page: Page): Promise<void> {
  await page.getByRole('link', { name: /DOE, Jane/ }).click()
  await page.getByRole('textbox', { name: 'Message about DOE, Jane' }).waitFor()
}

async function write(page: Page, text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Message about DOE, Jane' }).fill(text)
  await page.getByRole('button', { name: 'Send about DOE, Jane' }).click()
}

const shown = (page: Page, text: string) =>
  page.getByRole('region', { name: 'Conversation' }).getByText(text, { exact: true })

/** Runs in the page: how many drafts this device keeps. They are sealed, so there is no more to see. */
function keptDrafts(): Promise<number> {
  return new Promise((resolve) => {
    const opening = indexedDB.open('wardline-vault')
    opening.onsuccess = () => {
      const counting = opening.result.transaction('drafts').objectStore('drafts').count()
      counting.onsuccess = () => {
        opening.result.close()
        resolve(counting.result)
      }
    }
  })
}

describe('two people talk about a patient', () => {
  it('a message appears at the other within the blink of an eye, and its receipt comes back', async () => {
    await write(nurse.page, 'BP 92/60 after the walk')
    await shown(physician.page, 'BP 92/60 after the walk').waitFor()
    await nurse.page.getByRole('button', { name: /^Read\. / }).waitFor()
  })

  it('two identifiers stand above the conversation, and none in title or address', async () => {
    const banner = nurse.page.getByText(/MRN\s*123 456/).first()
    await banner.waitFor()
    expect(await nurse.page.title()).not.toMatch(/Doe|Jane|123/i)
    expect(nurse.page.url()).not.toMatch(/doe|jane|123 ?456/i)
  })

  it('typing is seen, and ends', async () => {
    const box = physician.page.getByRole('textbox', { name: 'Message about DOE, Jane' })
    await box.pressSequentially('Comi')
    await nurse.page.getByText('Dr. Chidi Okafor is typing…').waitFor()
    await box.fill('')
    await nurse.page.getByText('Dr. Chidi Okafor is typing…').waitFor({ state: 'detached' })
  })

  it('what is written is text, whatever it looks like', async () => {
    const hostile = '<img src=x onerror="document.title=1"><b>bold</b> & {{7*7}}'
    await write(nurse.page, hostile)
    await shown(physician.page, hostile).waitFor()
    expect(await physician.page.locator('b, img[src="x"]').count()).toBe(0)
  })

  it('a reload brings everything back, signed in', async () => {
    await physician.page.reload()
    await isLive(physician.page)
    await shown(physician.page, 'BP 92/60 after the walk').waitFor()
    expect(await shown(physician.page, 'BP 92/60 after the walk').count()).toBe(1)
  })

  it('a draft outlives a reload', async () => {
    const box = () => physician.page.getByRole('textbox', { name: 'Message about DOE, Jane' })
    await box().fill('Half a thought')
    await expect.poll(() => physician.page.evaluate(keptDrafts)).toBe(1)
    await physician.page.reload()
    await isLive(physician.page)
    await expect.poll(() => box().inputValue()).toBe('Half a thought')
    await box().fill('')
  })

  it('nobody sees a patient whose team they are not on', async () => {
    await physician.page.getByRole('link', { name: /ROE, Ann/ }).waitFor()
    expect(await nurse.page.getByRole('link', { name: /ROE, Ann/ }).count()).toBe(0)
  })
})

describe('the network is cut', () => {
  it('and comes back: nothing is lost, nothing is doubled', async () => {
    const { page, context } = await signInAt(browser, server.url, 'riverside/nurse.lind')
    await openDoe(page)
    link.cut()
    await page
      .getByRole('status', { name: 'Connection' })
      .getByText(/Reconnecting|Offline/)
      .first()
      .waitFor()
    await write(page, 'Written while cut off')
    await page.getByText('Not sent yet: waiting for the connection').waitFor()
    await page
      .getByText(/1 unsent/)
      .first()
      .waitFor()
    await write(physician.page, 'Written meanwhile')
    link.mend()
    // It comes back by itself; who waits may hurry it. The button may be gone before it is hit.
    await page
      .getByRole('button', { name: 'Try now' })
      .click({ timeout: 1_000 })
      .catch(() => undefined)
    await isLive(page)
    await shown(page, 'Written meanwhile').waitFor()
    await shown(physician.page, 'Written while cut off').waitFor()
    await page.getByText('Not sent yet: waiting for the connection').waitFor({ state: 'detached' })
    for (const text of ['Written while cut off', 'Written meanwhile']) {
      for (const each of [page, physician.page]) expect(await shown(each, text).count()).toBe(1)
    }
    await context.close()
  })
})

describe('signing out', () => {
  it('ends the other tab too, and leaves nothing behind', async () => {
    const second = await nurse.context.newPage()
    await second.goto(nurse.page.url())
    await isLive(second)
    await nurse.page.getByRole('button', { name: 'You and this device' }).click()
    await nurse.page.getByRole('button', { name: 'Sign out' }).click()
    await nurse.page.getByRole('button', { name: 'Sign in' }).waitFor()
    await second.getByRole('button', { name: 'Sign in' }).waitFor()
    expect(await second.getByText('BP 92/60 after the walk').count()).toBe(0)
    // The page ends first and tells the server after.
    await expect.poll(() => nurse.context.cookies()).toEqual([])
  })
})

describe('the auditor', () => {
  it('sees that it happened and not what was said', async () => {
    const auditor = await signInAt(browser, other.url, 'riverside/auditor.chen')
    await auditor.page.goto(`${other.url}/audit`)
    await auditor.page
      .getByRole('row')
      .filter({ hasText: 'Astrid Lind' })
      .filter({ hasText: /post/i })
      .first()
      .waitFor()
    const text = (await auditor.page.textContent('body')) ?? ''
    for (const canary of ['BP 92/60', 'Written while cut off', 'Doe', '123 456']) expect(text).not.toContain(canary)
    expect(auditor.complaints).toEqual([])
    await auditor.context.close()
  })
})

it('no page complained, broke its policy or asked a stranger for anything', () => {
  expect([...nurse.complaints, ...physician.complaints]).toEqual([])
})
