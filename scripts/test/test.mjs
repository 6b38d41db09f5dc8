// npm test [-- vitest's arguments]: every test in one run, and one count as the last line.
import { spawn } from 'node:child_process'
import { readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { requireChromium } from '../steps/browser.mjs'
import { memory, root } from '../steps/places.mjs'
import { ENDING, Stop } from '../steps/progress.mjs'
import { countTests, lastLine, wantsBrowser } from './count.mjs'

/**
 * @param {string[]} args
 * @returns {Promise<number>} the exit code
 */
async function main(args) {
  const browserTests = readdirSync(join(root, 'tests', 'browser'))
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => `tests/browser/${name}`)
  if (wantsBrowser(args, browserTests)) await requireChromium()

  const report = join(memory, `test-report-${process.pid}.json`)
  const vitest = join(root, 'node_modules', 'vitest', 'vitest.mjs')
  const reporting = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const code = await run([vitest, 'run', ...reporting, ...args])
  const count = readCount(report)
  // A run that fails or ends early for a reason of its own has no test to show for it.
  if (code !== 0 && count.failed === 0) count.failed = 1
  if (count.passed + count.failed === 0) console.error('No test was run.')
  console.log(lastLine(count))
  return count.failed > 0 || count.passed === 0 ? 1 : 0
}

/**
 * @param {string[]} args
 * @returns {Promise<number>}
 */
function run(args) {
  return new Promise((resolve, reject) => {
    // Vitest colours its output for any CI; a log file is read without.
    const plain = process.stdout.isTTY || process.env.FORCE_COLOR ? {} : { NO_COLOR: '1' }
    const child = spawn(process.execPath, args, { cwd: root, stdio: 'inherit', env: { ...process.env, ...plain } })
    for (const signal of ENDING) process.on(signal, () => child.kill(signal))
    child.on('error', reject)
    child.on('exit', (code) => resolve(code ?? 1))
  })
}

/**
 * @param {string} path
 * @returns {import('./count.mjs').Count}
 */
function readCount(path) {
  try {
    return countTests(JSON.parse(readFileSync(path, 'utf8')).testResults)
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }
  } finally {
    rmSync(path, { force: true })
  }
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  console.error(error instanceof Stop ? `wardline: ${error.message}` : error)
  console.log(lastLine({ passed: 0, failed: 1, skipped: 0 }))
  process.exitCode = 1
}
