import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { alone } from './lock.mjs'
import { childEnvironment, memory, nodeProgram, root } from './places.mjs'
import { runQuietly, Stop, step, tail } from './progress.mjs'
import { digestOf, readStamp, removeStamp, writeStamp } from './stamp.mjs'

const OUTPUT = 'apps/server/src/storage/generated'

const stamp = join(memory, 'generate')

/** Writes Prisma's client from prisma/schema.prisma, if the schema or Prisma itself changed. */
export async function generateDatabaseClient() {
  if (isGenerated()) return
  await alone(async () => {
    if (isGenerated()) return
    const digest = inputs()
    removeStamp(stamp)
    await step('generating the database client', generate)
    writeStamp(stamp, digest)
  })
}

function isGenerated() {
  return existsSync(join(root, OUTPUT)) && readStamp(stamp) === inputs()
}

function inputs() {
  return digestOf(['prisma/schema.prisma', 'prisma.config.ts', 'node_modules/prisma/package.json'])
}

async function generate() {
  const node = nodeProgram()
  const env = childEnvironment({ CHECKPOINT_DISABLE: '1' })
  const cli = join(root, 'node_modules', 'prisma', 'build', 'index.js')
  const result = await runQuietly(node, [cli, 'generate', '--no-hints'], { cwd: root, env })
  if (result.code !== 0) throw new Stop(`Prisma could not generate its client:\n${tail(result.output)}`)
}
