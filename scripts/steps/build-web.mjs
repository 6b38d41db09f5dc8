import { existsSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { alone } from './lock.mjs'
import { childEnvironment, memory, nodeProgram, root } from './places.mjs'
import { runQuietly, Stop, step, tail } from './progress.mjs'
import { digestOf, readStamp, removeStamp, writeStamp } from './stamp.mjs'

/** Everything that ends in the bundle: the app, and the packages it is built on. */
const SOURCES = ['apps/web', 'packages/client', 'packages/protocol', 'pnpm-lock.yaml', 'tsconfig.base.json']

const web = join(root, 'apps', 'web')
const stamp = join(memory, 'build-web')

/** Builds the web app into apps/web/dist, if anything it is made of changed. */
export async function buildWeb() {
  if (isBuilt()) return
  await alone(async () => {
    if (isBuilt()) return
    const digest = digestOf(SOURCES)
    removeStamp(stamp)
    await step('building the web app', build)
    writeStamp(stamp, digest)
  })
}

/** For `dev`, which rebuilds dist by itself: the next start cannot know what it holds. */
export function forgetWebBuild() {
  removeStamp(stamp)
}

function isBuilt() {
  return existsSync(join(web, 'dist', 'index.html')) && readStamp(stamp) === digestOf(SOURCES)
}

/** Vite empties its output folder first: a server that is running keeps the old one until the new one is whole. */
async function build() {
  const node = nodeProgram()
  const vite = join(web, 'node_modules', 'vite', 'bin', 'vite.js')
  const args = [vite, 'build', '--outDir', 'dist.next', '--emptyOutDir', '--logLevel', 'warn']
  const result = await runQuietly(node, args, { cwd: web, env: childEnvironment({ NODE_ENV: 'production' }) })
  if (result.code !== 0) throw new Stop(`Vite could not build the web app:\n${tail(result.output)}`)
  rmSync(join(web, 'dist'), { recursive: true, force: true })
  renameSync(join(web, 'dist.next'), join(web, 'dist'))
}
