import { randomBytes } from 'node:crypto'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import { providerOf } from '../../apps/server/src/keys/root-key.ts'
import { startEmbeddedPostgres } from '../../apps/server/src/storage/embedded-postgres.ts'
import { findPostmaster, stopPostmaster } from '../../apps/server/src/storage/postgres-process.ts'
import { isAlive, livingHolders, readState } from '../../apps/server/src/storage/postgres-state.ts'
import { prepareDatabase } from '../../apps/server/src/storage/prepare.ts'
import { TEMPLATE_DATABASE } from './database.ts'

const PREFIX = 'wardline-test-'

declare module 'vitest' {
  export interface ProvidedContext {
    /** Of the owner, and the root key of every test database in base64. */
    postgres: { url: string; rootKey: string }
  }
}

type Running = { readonly url: string; readonly rootKey: string; stop(): Promise<void> }

/** Vitest loads this file once for each project that names it: what they share is the process. */
const shared = globalThis as { wardlineTestPostgres?: { users: number; readonly running: Promise<Running> } }

/** One PostgreSQL for all service and browser tests, with one migrated database that each test file's own is copied from. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  shared.wardlineTestPostgres ??= { users: 0, running: start() }
  const mine = shared.wardlineTestPostgres
  mine.users += 1
  const { url, rootKey, stop } = await mine.running
  project.provide('postgres', { url, rootKey })
  return async () => {
    mine.users -= 1
    if (mine.users === 0) await stop()
  }
}

async function start(): Promise<Running> {
  await sweep()
  const dataDir = mkdtempSync(join(tmpdir(), PREFIX))
  const postgres = await startEmbeddedPostgres({ dataDir, durable: false })
  const rootKey = randomBytes(32)
  const template = new URL(postgres.url)
  template.pathname = `/${TEMPLATE_DATABASE}`
  await createDatabase(postgres.url, TEMPLATE_DATABASE)
  await prepareDatabase({ ownerUrl: template.href, keys: await providerOf(rootKey) })
  return {
    url: postgres.url,
    rootKey: rootKey.toString('base64'),
    async stop() {
      await postgres.stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

async function createDatabase(url: string, name: string): Promise<void> {
  const { default: pg } = await import('pg')
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  await client.query(`CREATE DATABASE ${name}`)
  await client.end()
}

/** A run that was killed leaves its PostgreSQL behind: whoever comes next clears it away. */
async function sweep(): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(PREFIX))) {
    const dataDir = join(tmpdir(), name)
    const state = readState(dataDir)
    if (state === undefined || isBeingStarted(dataDir) || livingHolders(state).length > 0) continue
    if (!existsSync(state.clusterDir)) continue
    const pid = findPostmaster(state.clusterDir)
    if (pid !== undefined) await stopPostmaster(state.clusterDir, pid)
    // Somebody else may be at it as well.
    await rm(dataDir, { recursive: true, force: true }).catch(() => undefined)
  }
}

/** Another run is at it: nobody holds a PostgreSQL before it is up. */
function isBeingStarted(dataDir: string): boolean {
  try {
    return isAlive(Number.parseInt(readFileSync(join(dataDir, 'postgres.lock'), 'utf8'), 10))
  } catch {
    return false
  }
}
