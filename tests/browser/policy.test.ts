import type { Browser, Page } from '@playwright/test'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { launchBrowser } from '../_util/browser.ts'
import { startTestServer, type TestServer } from '../_util/server.ts'

let server: TestServer
let browser: Browser
let page: Page

beforeAll(async () => {
  server = await startTestServer()
  browser = await launchBrowser()
  page = await (await browser.newContext({ ignoreHTTPSErrors: true })).newPage()
  await page.goto(server.url)
  await page.getByLabel('User name').waitFor()
})
afterAll(async () => {
  await browser.close()
  await server.stop()
})

/**
 * What a script in the page could try, each in a turn of its own: what Playwright evaluates is exempt from the policy, what it leaves
 * behind is not. Each gives `done` where it was let.
 */
const ATTEMPTS: Readonly<Record<string, string>> = {
  'markup from text': `document.body.insertAdjacentHTML('beforeend', '<i id=x>'); return 'done'`,
  'markup of an element': `document.createElement('p').innerHTML = '<i>'; return 'done'`,
  'a document of its own': `new DOMParser().parseFromString('<i>', 'text/html'); return 'done'`,
  'code from text': `(0, eval)('1'); return 'done'`,
  'a function from text': `new Function('return 1')(); return 'done'`,
  'a policy that lets all through': `trustedTypes.createPolicy('default', { createHTML: (text) => text }); return 'done'`,
  'a script from elsewhere': `document.createElement('script').src = 'https://evil.test/a.js'; return 'done'`,
  'a worker from text': `new Worker(URL.createObjectURL(new Blob(['1']))); return 'done'`,
  'a request to elsewhere': `await fetch('https://evil.test/'); return 'done'`,
  'a frame of this page': `const frame = document.createElement('iframe'); frame.src = '/'; document.body.append(frame)
    await new Promise((resolve) => frame.addEventListener('load', resolve))
    return frame.contentDocument?.querySelector('input') ? 'done' : 'refused'`,
  'a style in an attribute': `const p = document.createElement('p'); p.setAttribute('style', 'color: red'); document.body.append(p)
    return getComputedStyle(p).color === 'rgb(255, 0, 0)' ? 'done' : 'refused'`,
}

describe('R-53 what the browser itself keeps from a script that has come into the page', () => {
  it.each(Object.entries(ATTEMPTS))('%s', async (_, body) => {
    const attempt = `new Promise((resolve) => setTimeout(async () => {
      const attempt = async () => { ${body} }
      resolve(await attempt().catch(() => 'refused'))
    }))`
    expect(await page.evaluate(attempt)).toBe('refused')
  })

  it('shares no memory and no window with anybody', async () => {
    expect(await page.evaluate(() => [window.crossOriginIsolated, window.isSecureContext, window.opener])).toEqual([
      true,
      true,
      null,
    ])
  })
})
