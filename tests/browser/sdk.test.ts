import type { Browser, BrowserContext, Page } from '@playwright/test'
import { createWardline, type Wardline } from '@wardline/client/node'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { launchBrowser } from '../_util/browser.ts'
import { openSdk, serveSdk } from '../_util/sdk-page.ts'
import { PASSWORD, startTestServer, type TestServer } from '../_util/server.ts'

const NURSE = { tenant: 'riverside', username: 'nurse.lind', password: PASSWORD }

let server: TestServer
let browser: Browser
let context: BrowserContext
let physician: Wardline

beforeAll(async () => {
  server = await startTestServer()
  browser = await launchBrowser()
  physician = createWardline({ url: server.url, ca: String(server.ca) })
  await physician.signIn({ ...NURSE, username: 'physician.okafor' })
})

beforeEach(async () => {
  // A page that a test has made has no address; Chromium would not let such a one speak to this machine.
  context = await browser.newContext({ ignoreHTTPSErrors: true, permissions: ['local-network-access'] })
  await serveSdk(context)
})

afterEach(() => context.close())

afterAll(async () => {
  physician.close()
  await browser.close()
  await server.stop()
})

async function signedInPage(): Promise<Page> {
  const page = await openSdk(context, server.url)
  await page.evaluate((credentials) => sdk.signIn(credentials), NURSE)
  await live(page)
  return page
}

function live(page: Page): Promise<unknown> {
  return page.waitForFunction(() => sdk.connection.state.is === 'live')
}

describe('[R-84] the SDK in a browser', () => {
  it('[R-16] keeps a key that no script can read, over a reload and in every tab', async () => {
    const page = await signedInPage()
    await page.reload()
    await page.waitForFunction(() => 'sdk' in globalThis)
    expect(await page.evaluate(async () => (await sdk.restore())?.username)).toBe('nurse.lind')
    await live(page)
    const other = await openSdk(context, server.url)
    expect(await other.evaluate(async () => (await sdk.restore())?.username)).toBe('nurse.lind')
    const key = await page.evaluate(async () => {
      const database = await new Promise<IDBDatabase>((resolve) => {
        const request = indexedDB.open('wardline')
        request.onsuccess = () => resolve(request.result)
      })
      const pair = await new Promise<CryptoKeyPair>((resolve) => {
        const request = database.transaction('device-key').objectStore('device-key').get('dpop')
        request.onsuccess = () => resolve(request.result as CryptoKeyPair)
      })
      return { extractable: pair.privateKey.extractable, stored: Object.keys(localStorage) }
    })
    expect(key).toEqual({ extractable: false, stored: ['wardline-csrf'] })
  })

  it('[R-14] four tabs that refresh at once do not look like a thief', async () => {
    const pages = [await signedInPage()]
    for (let n = 0; n < 3; n += 1) {
      const page = await openSdk(context, server.url)
      await page.evaluate(() => sdk.restore())
      pages.push(page)
    }
    const refreshed = pages.map((page) =>
      page.evaluate(async () => {
        const token = await sdk.session.renewedToken('', true)
        return token.length > 0 && (await sdk.api.me()).username
      }),
    )
    expect(await Promise.all(refreshed)).toEqual(['nurse.lind', 'nurse.lind', 'nurse.lind', 'nurse.lind'])
  })

  it('[R-19] signing out ends the other tab', async () => {
    const page = await signedInPage()
    const other = await openSdk(context, server.url)
    await other.evaluate(() => sdk.restore())
    await live(other)
    expect(await page.evaluate(() => sdk.signOut())).toEqual({ reached: true })
    await other.waitForFunction(() => sdk.session.state.is === 'signed-out')
    expect(await other.evaluate(() => sdk.session.state)).toEqual({ is: 'signed-out', reason: 'elsewhere' })
    expect(await other.evaluate(() => sdk.restore())).toBeNull()
  })

  it('[P3] [P4] a network that goes and comes back loses nothing and doubles nothing', async () => {
    const page = await signedInPage()
    const { id } = await physician.api.createChannel({
      kind: 'direct',
      member: server.users.get('riverside/nurse.lind') ?? '',
    })
    await page.evaluate((channel) => sdk.channel(channel).open({ after: 0 }), id)
    await page.waitForFunction((channel) => sdk.channel(channel).state.is === 'live', id)
    const said = async (body: string) => {
      await physician.outbox.accepted(physician.post(id, body).clientId)
    }
    await said('before')
    await page.waitForFunction(() => bodies.length === 1)

    await context.setOffline(true)
    await page.evaluate((channel) => {
      sdk.post(channel, 'written offline, first')
      sdk.post(channel, 'written offline, second')
    }, id)
    await said('meanwhile')
    await context.setOffline(false)

    await page.waitForFunction(() => bodies.length >= 4 && sdk.outbox.list().length === 0)
    const bodies = await page.evaluate(() => globalThis.bodies)
    expect(bodies.toSorted()).toEqual(['before', 'meanwhile', 'written offline, first', 'written offline, second'])
    expect(bodies.filter((body) => body.startsWith('written'))).toEqual([
      'written offline, first',
      'written offline, second',
    ])
  })
})
