#!/usr/bin/env node
// The one entry: node scripts/run.mjs start|dev|check|test|build|wardline|load|abuse|fuzz [arguments]
//
// It must run on whatever Node a machine has (18 or later) with nothing installed, so it and scripts/steps/ use no
// dependency. It prepares what the command needs (each step only when its inputs changed) and hands over to Node 24.
import { join, relative } from 'node:path'
import { buildWeb, forgetWebBuild } from './steps/build-web.mjs'
import { generateDatabaseClient } from './steps/generate.mjs'
import { runTogether } from './steps/hand-over.mjs'
import { installPackages } from './steps/install.mjs'
import { root } from './steps/places.mjs'
import { Stop } from './steps/progress.mjs'

const SERVER = 'apps/server/src/main.ts'
const CLI = 'apps/cli/src/main.ts'
const VITE = 'node_modules/vite/bin/vite.js'

/** A demo is what a bare `npm start` gives; a real installation sets WARDLINE_DEMO=0 or runs main.ts itself. */
const demo = { WARDLINE_DEMO: process.env.WARDLINE_DEMO ?? '1' }

/** @type {Record<string, (args: string[]) => Promise<number>>} */
const commands = {
  async start(args) {
    await buildWeb()
    return runTogether([{ args: [SERVER, ...args], env: demo }])
  },
  async dev(args) {
    forgetWebBuild()
    return runTogether([
      { args: ['--watch', '--watch-preserve-output', SERVER, ...args], env: demo },
      { args: [VITE, 'build', '--watch', '--outDir', 'dist', '--emptyOutDir'], cwd: 'apps/web' },
    ])
  },
  async build() {
    await buildWeb()
    return 0
  },
  async check(args) {
    return runTogether([{ args: ['scripts/check/check.mjs', ...args] }])
  },
  async test(args) {
    await buildWeb()
    return runTogether([{ args: ['scripts/test/test.mjs', ...args] }])
  },
  async wardline(args) {
    // Where the command was typed: npm itself goes to the repository's folder, and the files it names are relative to that.
    const cwd = relative(root, process.env.INIT_CWD ?? process.cwd())
    return runTogether([{ args: [join(root, CLI), ...args], cwd }])
  },
  async load(args) {
    return runTogether([{ args: ['apps/load/src/main.ts', ...args] }])
  },
  async abuse(args) {
    return runTogether([{ args: ['apps/load/src/abuse/main.ts', ...args] }])
  },
  async fuzz(args) {
    const asked = args.indexOf('--minutes')
    const minutes = asked < 0 ? '1' : (args[asked + 1] ?? '')
    if (!(Number(minutes) > 0)) throw new Stop('Usage: npm run fuzz [-- --minutes N]')
    // Frames against the schemas, then bytes against a server: a third of the time for each of the three.
    const files = ['packages/protocol/src/decode.fuzz.test.ts', 'tests/gateway/fuzz.test.ts']
    const projects = ['--project', 'unit', '--project', 'service']
    const env = { FUZZ_MINUTES: String(Number(minutes) / 3) }
    return runTogether([{ args: ['node_modules/vitest/vitest.mjs', 'run', ...projects, ...files], env }])
  },
}

/**
 * @param {string | undefined} name
 * @param {string[]} args
 * @returns {Promise<number>} the exit code
 */
async function main(name, args) {
  const command = Object.hasOwn(commands, name ?? '') ? commands[name ?? ''] : undefined
  if (command === undefined)
    throw new Stop(`Usage: node scripts/run.mjs ${Object.keys(commands).join('|')} [arguments]`)
  await installPackages()
  await generateDatabaseClient()
  return command(args)
}

const [name, ...args] = process.argv.slice(2)
if (Number(process.versions.node.split('.')[0]) < 18) {
  console.error(`wardline: this needs Node 18 or later to begin with, and found ${process.version}.`)
  process.exit(1)
}
main(name, args).then(
  (code) => {
    process.exitCode = code
  },
  (error) => {
    console.error(error instanceof Stop ? `wardline: ${error.message}` : error)
    process.exitCode = 1
  },
)
