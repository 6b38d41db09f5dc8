// npm run check [-- --fix]: everything a tool can say about the sources, in one go; all of it runs, whatever fails.
import { join } from 'node:path'
import { childEnvironment, root } from '../steps/places.mjs'
import { runQuietly, seconds, tail } from '../steps/progress.mjs'
import { brokenArrows } from './arrows.mjs'

const NAME_WIDTH = 12

/**
 * @typedef {{ ok: boolean, output: string }} Outcome
 * @typedef {{ name: string, run: () => Promise<Outcome>, help?: string }} Check
 */

/**
 * @param {string} program an installed tool's name
 * @param {string[]} args
 * @returns {() => Promise<Outcome>}
 */
function tool(program, ...args) {
  return async () => {
    const { code, output } = await runQuietly(join(root, 'node_modules', '.bin', program), args, {
      cwd: root,
      env: childEnvironment(),
    })
    return { ok: code === 0, output }
  }
}

const fix = process.argv.includes('--fix')

/** @type {Check[]} */
const checks = [
  {
    name: 'format',
    run: tool('biome', 'check', '--error-on-warnings', '--reporter=concise', ...(fix ? ['--write'] : []), '.'),
    help: 'npm run check -- --fix',
  },
  {
    name: 'lint',
    run: tool(
      'oxlint',
      '--type-aware',
      '--deny-warnings',
      '--format=unix',
      '--report-unused-disable-directives',
      ...(fix ? ['--fix'] : []),
    ),
  },
  { name: 'types: node', run: tool('tsc', '--project', 'tsconfig.node.json') },
  { name: 'types: client', run: tool('tsc', '--project', 'tsconfig.client.json') },
  { name: 'types: web', run: tool('tsc', '--project', 'apps/web/tsconfig.json') },
  {
    name: 'arrows',
    async run() {
      const broken = brokenArrows(root)
      return { ok: broken.length === 0, output: broken.join('\n') }
    },
  },
  { name: 'dead code', run: tool('knip', '--no-progress') },
  { name: 'compose', run: tool('dclint', '--max-warnings', '0', 'docker-compose.yml') },
  { name: 'dockerfile', run: tool('dockerfile-utils', 'lint', 'Dockerfile') },
]

/** @type {string[]} */
const failed = []
for (const { name, run, help } of checks) {
  const started = performance.now()
  const { ok, output } = await run()
  console.log(`${name.padEnd(NAME_WIDTH)}  ${ok ? 'ok    ' : 'FAILED'}  ${seconds(performance.now() - started)}`)
  if (ok) continue
  failed.push(name)
  console.log(tail(output))
  if (help !== undefined) console.log(`  → ${help}`)
}
console.log(failed.length === 0 ? `all ${checks.length} checks passed` : `failed: ${failed.join(', ')}`)
process.exitCode = failed.length === 0 ? 0 : 1
