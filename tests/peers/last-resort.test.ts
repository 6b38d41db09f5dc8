import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../_util/database.ts'
import { spawnServer } from '../_util/server-process.ts'

const dataDir = mkdtempSync(join(tmpdir(), 'wardline-last-resort-'))
let database: TestDatabase
beforeAll(async () => {
  database = await createTestDatabase()
  mkdirSync(join(dataDir, 'keys'), { mode: 0o700 })
  writeFileSync(join(dataDir, 'keys', 'root.key'), database.rootKey, { mode: 0o600 })
})
afterAll(async () => {
  await database.drop()
  rmSync(dataDir, { recursive: true })
})

/** What is loaded before the server: on a signal, what nobody foresaw happens outside of every request. */
const MISHAPS = {
  'an exception that nobody catches': "throw new Error('CANARY')",
  'a rejection that nobody awaits': "void Promise.reject(new Error('CANARY'))",
}

describe('ASVS 16.5.4, 16.5.1: the last resort', () => {
  test.each(Object.entries(MISHAPS))(
    '%s ends the process with 70, which is in the log; its words are not',
    async (_, does) => {
      const mishap = join(dataDir, 'mishap.mjs')
      writeFileSync(mishap, `process.on('SIGUSR2', () => { ${does} })`)
      const logFile = join(dataDir, 'log')
      const server = spawnServer(dataDir, {
        WARDLINE_DATABASE_URL: database.ownerUrl,
        WARDLINE_SEQUENCER: 'off',
        WARDLINE_LOG_FILE: logFile,
        NODE_OPTIONS: `--import ${mishap}`,
      })
      await server.up
      const { code, out, err } = await server.end('SIGUSR2')
      expect(code).toBe(70)
      const log = readFileSync(logFile, 'utf8')
      expect(log).toContain('server.crashed')
      expect(out + err + log).not.toContain('CANARY')
      rmSync(logFile)
    },
  )
})
