import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { brokenArrows, importsOf, ROOMS } from './arrows.mjs'

let root = ''

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'wardline arrows '))
  for (const room of Object.keys(ROOMS)) mkdirSync(join(root, room, 'src'), { recursive: true })
})

afterEach(() => rmSync(root, { recursive: true }))

/**
 * @param {string} file
 * @param {string} text
 */
function problemsOf(file, text) {
  mkdirSync(dirname(join(root, file)), { recursive: true })
  writeFileSync(join(root, file), text)
  return brokenArrows(root)
}

test.each([
  ['packages/policy/src/decide.ts', "import { z } from '@wardline/protocol'"],
  ['packages/protocol/src/message.ts', "import { z } from 'zod'"],
  ['packages/protocol/src/message.test.ts', "import { test } from 'vitest'\nimport { readFileSync } from 'node:fs'"],
  ['packages/transparency-log/src/tree.ts', "import { createHash } from 'node:crypto'"],
  ['apps/cli/src/verify.ts', "import { verify } from '@wardline/transparency-log'"],
  ['apps/cli/src/import.ts', "import { openStorage } from '@wardline/server'"],
  ['apps/server/src/app.ts', "import fastify from 'fastify'"],
  ['apps/server/src/messages/routes.ts', "import type { FastifyInstance } from 'fastify'"],
  ['apps/server/src/storage/pool.ts', "import pg from 'pg'"],
  ['apps/server/src/config.ts', 'export const port = process.env.WARDLINE_PORT'],
  ['apps/web/src/messages/list.tsx', "import { Button } from '../ui/button.tsx'\nimport './list.css'"],
  ['apps/web/src/shell/layout.tsx', "import { Inbox } from '../inbox/inbox.tsx'"],
])('%s may: %s', (file, text) => {
  expect(problemsOf(file, text)).toEqual([])
})

test.each([
  ['apps/web/src/messages/list.tsx', "import { decide } from '@wardline/policy'", 'may import only protocol, client'],
  ['apps/web/src/messages/list.tsx', "import { Banner } from '../patients/banner.tsx'", 'messages → patients'],
  ['apps/web/src/messages/list.tsx', "import { Shell } from '../shell/shell.tsx'", 'messages → shell'],
  ['apps/web/src/ui/button.tsx', "import { Inbox } from '../inbox/inbox.tsx'", 'ui → inbox'],
  ['packages/policy/src/decide.ts', "import pg from 'pg'", 'may use nothing'],
  ['packages/policy/src/decide.ts', "import { hrtime } from 'node:process'", 'may use nothing of Node'],
  ['packages/policy/src/decide.test.ts', "import { app } from '@wardline/server'", 'may import only protocol'],
  ['packages/client/src/connect.ts', "import type { Action } from '@wardline/policy'", 'may import only protocol'],
  [
    'packages/client/src/connect.ts',
    "import { hub } from '../../../apps/server/src/gateway/hub.ts'",
    'leaves packages/client',
  ],
  ['apps/cli/src/import.ts', "const { pool } = await import('../../server/src/storage/pool.ts')", 'leaves apps/cli'],
  ['apps/server/src/messages/post.ts', "import type { PrismaClient } from '@prisma/client'", 'only storage/'],
  ['apps/server/src/messages/post.ts', "import {\n  type FastifyRequest,\n} from 'fastify'", 'know Fastify'],
  ['apps/server/src/messages/post.ts', 'const url = process.env.WARDLINE_DATABASE_URL', 'only config.ts'],
  ['apps/load/src/run.ts', "export * from '@wardline/server'", 'may import only protocol, client'],
])('%s may not: %s', (file, text, reason) => {
  const problems = problemsOf(file, text)
  expect(problems).toHaveLength(1)
  expect(problems[0]).toContain(`${file}: `)
  expect(problems[0]).toContain(reason)
})

test('finds every form of import, and none in prose', () => {
  const text = [
    "import a from 'a'",
    "import b, { type B } from 'b'",
    "import * as c from 'c'",
    "import 'd'",
    "import type { E } from 'e'",
    "export { f } from 'f'",
    "export * as g from 'g'",
    "import {\n  h,\n} from 'h'",
    "const i = await import('i')",
    "type J = import('j').J",
    " * import { k } from 'k'",
    "export const words = {\n  // taken from 'l'\n}",
  ].join('\n')
  expect(importsOf(text)).toEqual(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'])
})
