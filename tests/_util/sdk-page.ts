import { readFileSync } from 'node:fs'
import { createRequire, stripTypeScriptTypes } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BrowserContext, Page } from '@playwright/test'
import type { Wardline } from '@wardline/client'

declare global {
  /** The SDK in a page, and what it was told. */
  var sdk: Wardline
  var bodies: string[]
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const PROTOCOL = join(ROOT, 'packages/protocol')
const ZOD = dirname(createRequire(join(PROTOCOL, 'package.json')).resolve('zod/package.json'))

const PAGE = `<!doctype html><title>the SDK alone</title>
<script type="importmap">${JSON.stringify({
  imports: {
    '@wardline/client': '/@fs/client/src/index.ts',
    '@wardline/protocol': '/@fs/protocol/src/index.ts',
    zod: '/@fs/zod/index.js',
  },
})}</script>
<script type="module">
  import { createWardline } from '@wardline/client'
  globalThis.bodies = []
  const sdk = createWardline({ url: location.origin })
  sdk.on('event', ({ event }) => { if (event.type === 'message.posted') bodies.push(event.body) })
  globalThis.sdk = sdk
</script>`

const FOLDERS: Readonly<Record<string, string>> = {
  client: join(ROOT, 'packages/client'),
  protocol: PROTOCOL,
  zod: ZOD,
}

/** Serves, in this context and on the server's own origin, a page that holds the SDK as it is in the repository, unbundled. */
export async function serveSdk(context: BrowserContext): Promise<void> {
  await context.route('**/sdk.html', (route) => route.fulfill({ contentType: 'text/html', body: PAGE }))
  await context.route('**/@fs/**', (route) => {
    const [folder = '', ...path] = new URL(route.request().url()).pathname.slice('/@fs/'.length).split('/')
    const text = readFileSync(join(FOLDERS[folder] ?? '', ...path), 'utf8')
    const body = path.at(-1)?.endsWith('.ts') ? stripTypeScriptTypes(text) : text
    return route.fulfill({ contentType: 'text/javascript', body })
  })
}

/** A tab with the SDK, not signed in. */
export async function openSdk(context: BrowserContext, url: string): Promise<Page> {
  const page = await context.newPage()
  await page.goto(`${url}/sdk.html`)
  await page.waitForFunction(() => 'sdk' in globalThis)
  return page
}
