import { existsSync } from 'node:fs'
import { type Browser, type BrowserContext, chromium, type Page } from '@playwright/test'
import type { FakeServer } from '@wardline/client/fake-server'

const EXECUTABLES = [process.env['PLAYWRIGHT_CHROMIUM'], '/usr/bin/chromium', chromium.executablePath()]

/** A Chromium that talks to nobody. */
export function launch(): Promise<Browser> {
  const executablePath = EXECUTABLES.find((path) => path !== undefined && existsSync(path))
  if (executablePath === undefined) throw new Error('no Chromium: set PLAYWRIGHT_CHROMIUM, or apt-get install chromium')
  return chromium.launch({
    executablePath,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

/** Gives a context this server: HTTP calls and sockets never leave the process. All its pages share one cookie jar. */
export async function connect(context: BrowserContext, server: FakeServer): Promise<void> {
  const { fetch, transport } = server.browser()
  if (fetch === undefined || transport === undefined) throw new Error('the fake server has no transport')
  await context.route('**/api/v1/**', async (route) => {
    const request = route.request()
    const body = request.postData()
    try {
      const answer = await fetch(request.url(), {
        method: request.method(),
        headers: await request.allHeaders(),
        ...(body === null ? {} : { body }),
        credentials: new URL(request.url()).pathname.includes('/auth/') ? 'same-origin' : 'omit',
        cache: 'no-store',
        redirect: 'error',
        signal: new AbortController().signal,
      })
      const text = await answer.text()
      await route.fulfill({ status: answer.status, contentType: 'application/json', body: text })
    } catch {
      await route.abort('connectionrefused')
    }
  })
  await context.routeWebSocket('**/ws', (page) => {
    const socket = transport(page.url(), ['wardline.v1'], {
      received: (text) => {
        if (text !== null) page.send(text)
      },
      heard: () => undefined,
      closed: (code) => void page.close({ code: code === 1006 ? 3000 : code }).catch(() => undefined),
    })
    page.onMessage((text) => socket.send(String(text)))
    page.onClose((code) => socket.close(code ?? 1000))
  })
}

/** Signs in by the form, as a person does. */
export async function signIn(page: Page, username: string): Promise<void> {
  await page.getByLabel('Organisation').fill('riverside')
  await page.getByLabel('User name').fill(username)
  await page.getByLabel('Password', { exact: true }).fill('correct horse battery staple')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('status', { name: 'Connection' }).getByText('Live').waitFor()
}
