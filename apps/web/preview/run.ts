/**
 * Looks at the built app without a server: each scene at each size and scheme, as a picture and through axe, under
 * the content security policy that it is served with.
 *
 *   vite build && node preview/run.ts [--dist=FOLDER] OUT [name-of-scene…]
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import { connect, launch } from './browser.ts'
import { play, type Scene, scenes } from './scenes.ts'
import { serveBuilt } from './serve.ts'
import { nightShift } from './world.ts'

/** The two that it is designed for in both schemes; then the narrowest phone, and a desktop at 200 % zoom. */
const LOOKS = [
  { size: 'desktop', width: 1440, height: 900, schemes: ['light', 'dark'] },
  { size: 'phone', width: 390, height: 844, schemes: ['light', 'dark'] },
  { size: 'narrow', width: 360, height: 640, schemes: ['light'] },
  { size: 'zoomed', width: 720, height: 450, schemes: ['light'] },
] as const
const TAGS = ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']

const options = process.argv.slice(2)
const dist = options.find((each) => each.startsWith('--dist='))?.slice('--dist='.length)
const [out = 'test-results/preview', ...names] = options.filter((each) => !each.startsWith('--'))
mkdirSync(out, { recursive: true })
const say = (text: string) => process.stdout.write(`${text}\n`)

const app = await serveBuilt(dist ?? join(import.meta.dirname, '..', 'dist'))
const browser = await launch()
let problems = 0

async function look(scene: Scene, { size, width, height }: (typeof LOOKS)[number], colorScheme: 'light' | 'dark') {
  const server = nightShift()
  const scenery = `${scene.name}-${size}-${colorScheme}`
  scene.before?.(server)
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme,
    timezoneId: 'America/Chicago',
    hasTouch: width < 400,
    isMobile: width < 400,
    deviceScaleFactor: width < 400 ? 2 : 1,
  })
  await connect(context, server)
  const page = await context.newPage()
  const complain = (what: string) => {
    problems += 1
    say(`  ${scenery}: ${what}`)
  }
  page.on('pageerror', (error) => complain(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error' && !/Failed to load resource/.test(message.text())) complain(message.text())
  })
  try {
    await play(page, app.origin, scene, server)
  } catch (error) {
    complain(error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error))
  }
  await page.waitForTimeout(150)
  const wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth)
  if (wider > 0) complain(`wider than the screen by ${wider} px`)
  await page.screenshot({ path: join(out, `${scenery}.png`) })
  // axe puts its own script into the page by a way that the policy forbids; it is looked at in a page that has bypassed it.
  const { violations } = await new AxeBuilder({ page }).withTags(TAGS).analyze()
  for (const each of violations)
    complain(`axe ${each.id}: ${each.nodes.map((node) => node.target.join(' ')).join(' | ')}`)
  await context.close()
}

for (const scene of scenes) {
  if (names.length > 0 && !names.includes(scene.name)) continue
  for (const each of LOOKS) for (const scheme of each.schemes) await look(scene, each, scheme)
  say(scene.name)
}
await browser.close()
app.close()
say(problems === 0 ? 'nothing to complain of' : `${problems} complaints`)
process.exitCode = problems === 0 ? 0 : 1
