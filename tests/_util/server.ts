import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { bySystem } from '../../apps/server/src/audit/by.ts'
import { type Clock, type ManualClock, systemClock } from '../../apps/server/src/clock.ts'
import { type Config, loadConfig } from '../../apps/server/src/config.ts'
import type { Context, ContextOverrides } from '../../apps/server/src/context.ts'
import { DEMO_TENANTS } from '../../apps/server/src/demo/people.ts'
import { createLogger } from '../../apps/server/src/log.ts'
import { type RunningServer, startServer } from '../../apps/server/src/server.ts'
import { createTenant } from '../../apps/server/src/tenants/create.ts'
import { createUser } from '../../apps/server/src/users/create.ts'
import { createTestDatabase, type TestDatabase } from './database.ts'

/** Everybody's. */
export const PASSWORD = 'a password for tests'

/** What somebody outside needs of a server, in this process or in one of its own. */
export type Reachable = {
  /** `https://localhost:<port>`. */
  readonly url: string
  /** The authority to trust. */
  readonly ca: Buffer
  readonly clock: Clock
  /** The address of this machine to call from. */
  readonly from?: string
}

export type TestServer = Reachable & {
  readonly ctx: Context
  readonly running: RunningServer
  readonly database: TestDatabase
  readonly dataDir: string
  /** Every line it logged. */
  readonly logged: readonly string[]
  /** Ids of the demonstration's people, by `tenant/username`, and of the tenants by slug. */
  readonly users: ReadonlyMap<string, string>
  readonly tenants: ReadonlyMap<string, string>
  /** Stops it; the one that was started first also drops the database. */
  stop(): Promise<void>
}

export type TestServerOptions = ContextOverrides & {
  readonly config?: Partial<Config>
  /** Roles demand the second factors that they demand elsewhere; else of nobody, so that a password signs anybody in. */
  readonly requireFactors?: true
  /** Seconds without a sign of the person, after which their session is locked; a day, so that tests of other things let time pass. */
  readonly idleSeconds?: number
  /** Another node: the same database, root key and signing keys. */
  readonly beside?: TestServer
}

/**
 * A whole server in this process: a port of its own, a database of its own (or another node's), real TLS, the people of the
 * demonstration with one password, and no patients. Stop it in `afterAll`.
 */
export async function startTestServer(options: TestServerOptions = {}): Promise<TestServer> {
  const { config: changes = {}, beside, requireFactors, idleSeconds = 86_400, ...overrides } = options
  const database = beside?.database ?? (await createTestDatabase())
  const dataDir = beside?.dataDir ?? mkdtempSync(join(tmpdir(), 'wardline-server-'))
  const keysDir = join(dataDir, 'keys')
  if (beside === undefined) {
    mkdirSync(keysDir, { mode: 0o700 })
    writeFileSync(join(keysDir, 'root.key'), database.rootKey, { mode: 0o600 })
  }
  const logged: string[] = []
  const log = createLogger('debug', { write: (line: string) => void logged.push(line) })
  const config = { ...testConfig(dataDir, database.ownerUrl), ...changes }
  const running = await startServer(config, { log, ...overrides })
  const { ctx } = running
  const { tenants, users } = beside ?? (await seedPeople(ctx, requireFactors ?? false))
  if (beside === undefined) await database.query('UPDATE tenant_settings SET idle_seconds = $1', [idleSeconds])
  return {
    ctx,
    running,
    url: ctx.site.origin,
    ca: readFileSync(running.authorityFile ?? ''),
    clock: overrides.clock ?? systemClock,
    database,
    dataDir,
    logged,
    tenants,
    users,
    async stop() {
      await stopped(running, overrides.clock)
      if (beside !== undefined) return
      await database.drop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

/** A drain takes its time by the server's clock: where that one stands still, it is moved on until the server has stopped. */
async function stopped(running: RunningServer, clock: Clock | undefined): Promise<void> {
  let over = false
  const stopping = running.stop().finally(() => {
    over = true
  })
  while (!over && clock !== undefined && 'advance' in clock) {
    await setImmediate()
    ;(clock as ManualClock).advance(100)
  }
  await stopping
}

/** Password hashes as cheap as they get: what is tested by these is not their strength. */
const CHEAP_HASHES = { memoryKiB: 64, iterations: 2, parallelism: 1, concurrency: 2 }

function testConfig(dataDir: string, databaseUrl: string): Config {
  const env = {
    WARDLINE_DATA: dataDir,
    WARDLINE_DATABASE_URL: databaseUrl,
    WARDLINE_PORT: '0',
    WARDLINE_HOST: '127.0.0.1',
    // Whoever tests the audit log starts its sequencer: the others need not share the machine with it.
    WARDLINE_SEQUENCER: 'off',
    WARDLINE_ALERTS: 'off',
  }
  return { ...loadConfig(env), argon2: CHEAP_HASHES }
}

async function seedPeople(ctx: Context, requireFactors: boolean): Promise<Pick<TestServer, 'tenants' | 'users'>> {
  const tenants = new Map<string, string>()
  const users = new Map<string, string>()
  const passwordHash = await ctx.passwords.hash(PASSWORD)
  for (const { slug, name, people } of DEMO_TENANTS) {
    const tenantId = await createTenant(ctx.database, ctx.keyring, { slug, name, by: bySystem })
    tenants.set(slug, tenantId)
    await ctx.database.withTenant(tenantId, async (tx) => {
      if (!requireFactors) await tx.db.role.updateMany({ where: { tenantId }, data: { requireSecondFactor: false } })
      for (const { username, displayName, title, roles } of people) {
        const known = {
          tenantId,
          username,
          displayName,
          title,
          roles,
          passwordHash,
          externalDigest: null,
          by: bySystem,
        }
        users.set(`${slug}/${username}`, await createUser(tx, known))
      }
    })
  }
  return { tenants, users }
}
