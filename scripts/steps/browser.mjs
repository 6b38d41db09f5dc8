import { accessSync, constants, readFileSync } from 'node:fs'
import { chromium } from '@playwright/test'
import { runQuietly, Stop, step, tail } from './progress.mjs'

const CANDIDATES = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/usr/bin/google-chrome-stable',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
]

/**
 * The browser that the tests drive: the one named by PLAYWRIGHT_CHROMIUM, else Playwright's own, else the system's.
 *
 * @returns {string | undefined} path of the program
 */
export function findChromium() {
  const named = process.env.PLAYWRIGHT_CHROMIUM
  if (named) return named
  return [chromium.executablePath(), ...CANDIDATES].find(isProgram)
}

/** Finds a browser, or installs Debian's where that is possible, or says how to get one. */
export async function requireChromium() {
  const found = findChromium()
  if (found !== undefined && isProgram(found)) return
  if (found !== undefined) throw new Stop(`PLAYWRIGHT_CHROMIUM names ${found}, which is no program.`)
  const isRoot = process.getuid?.() === 0
  if (isRoot && isDebian()) await step('installing chromium for the browser tests', installFromDebian)
  if (findChromium() === undefined) {
    throw new Stop(
      'No Chromium for the browser tests: install one (Debian: sudo apt-get install chromium) or name one in ' +
        'PLAYWRIGHT_CHROMIUM. "npm test -- --project=unit --project=service" runs the rest.',
    )
  }
}

async function installFromDebian() {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  for (const args of [
    ['update', '-q'],
    // Without recommended packages there is no font, and a page without letters has no widths to test.
    ['install', '-y', '-q', '--no-install-recommends', 'chromium', 'fonts-liberation'],
  ]) {
    const result = await runQuietly('apt-get', args, { env })
    if (result.code !== 0) throw new Stop(`apt-get could not install chromium:\n${tail(result.output)}`)
  }
}

function isDebian() {
  try {
    return /^ID="?debian"?$/m.test(readFileSync('/etc/os-release', 'utf8'))
  } catch {
    return false
  }
}

/** @param {string} path */
function isProgram(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
