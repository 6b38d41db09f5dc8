import { createHash } from 'node:crypto'
import { connect } from 'node:tls'
import { type Browser, type BrowserContext, chromium, type Page } from '@playwright/test'
import { PASSWORD, type TestServer } from './server.ts'

/**
 * A Chromium that talks to nobody but the server under test. vitest.config.ts names the program. `trusting`: takes the server's
 * certificate for a good one, which passkeys need; a page whose certificate is only overlooked has none.
 */
export async function launchBrowser(trusting?: TestServer): Promise<Browser> {
  const trust = trusting === undefined ? [] : [`--ignore-certificate-errors-spki-list=${await keyHashOf(trusting)}`]
  return chromium.launch({
    executablePath: process.env['PLAYWRIGHT_CHROMIUM'] ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      ...trust,
    ],
  })
}

/** SHA-256 of the public key in the certificate that the server shows, in base64. */
function keyHashOf({ url, ca }: TestServer): Promise<string> {
  const { hostname: host, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port: Number(port), ca, servername: host }, () => {
      const key = socket.getPeerX509Certificate()?.publicKey.export({ type: 'spki', format: 'der' })
      socket.destroy()
      resolve(
        createHash('sha256')
          .update(key ?? '')
          .digest('base64'),
      )
    })
    socket.once('error', reject)
  })
}

/** What a page did that no page of ours should: errors, broken CSP, requests to strangers. */
export type Complaints = string[]

export type PersonInBrowser = { readonly context: BrowserContext; readonly page: Page; readonly complaints: Complaints }

/** Somebody at a browser of their own, signed in by the form as a person does it. `who` is `tenant/username`. */
export async function signInAt(browser: Browser, url: string, who: string): Promise<PersonInBrowser> {
  const context = await browser.newContext({ ignoreHTTPSErrors: true, viewport: { width: 1280, height: 800 } })
  const page = await context.newPage()
  const complaints: Complaints = []
  watch(page, url, complaints)
  await page.goto(url)
  await fillSignIn(page, who)
  return { context, page, complaints }
}

async function fillSignIn(page: Page, who: string): Promise<void> {
  const [tenant = '', username = ''] = who.split('/')
  await page.getByLabel('Organisation').fill(tenant)
  await page.getByLabel('User name').fill(username)
  await page.getByLabel('Password', { exact: true }).fill(PASSWORD)
  await page.getByRole('button', { name: 'Sign in' }).click()
  await isLive(page)
}

export async function isLive(page: Page): Promise<void> {
  await page.getByRole('status', { name: 'Connection' }).getByText('Live').waitFor()
}

function watch(page: Page, url: string, complaints: Complaints): void {
  page.on('pageerror', (error) => complaints.push(`error: ${error.message}`))
  page.on('console', (message) => {
    // A refused or lost request is the browser's to report and the page's to handle.
    const said = message.text()
    if (message.type() === 'error' && !said.startsWith('Failed to load resource') && !said.startsWith('WebSocket')) {
      complaints.push(`console: ${said}`)
    }
  })
  page.on('request', (request) => {
    if (new URL(request.url()).origin !== new URL(url).origin && !request.url().startsWith('blob:')) {
      complaints.push(`request to ${request.url()}`)
    }
  })
}
