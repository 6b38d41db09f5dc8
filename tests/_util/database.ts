import { randomBytes, randomUUID } from 'node:crypto'
import pg from 'pg'
import { inject } from 'vitest'
import { type Clock, systemClock } from '../../apps/server/src/clock.ts'
import { createKeyring, type Keyring } from '../../apps/server/src/keys/keyring.ts'
import { type KeyProvider, providerOf } from '../../apps/server/src/keys/root-key.ts'
import { type Database, type OpenOptions, openDatabase } from '../../apps/server/src/storage/open.ts'
import { prepareDatabase } from '../../apps/server/src/storage/prepare.ts'

export const TEMPLATE_DATABASE = 'wardline_template'

export type TestDatabase = {
  readonly name: string
  /** Of the superuser who owns everything. */
  readonly ownerUrl: string
  /** Of the server's own role. */
  readonly appUrl: string
  readonly keys: KeyProvider
  /** The 32 bytes behind `keys`, for a server of its own process. */
  readonly rootKey: Buffer
  /** Opens it as a server does; closed by `drop`. */
  open(options?: Partial<OpenOptions>): Promise<Database>
  /** Runs SQL as the owner. */
  query<R extends pg.QueryResultRow>(text: string, values?: unknown[]): Promise<R[]>
  /** Closes what was opened and removes the database. */
  drop(): Promise<void>
}

/** An empty, migrated database of one's own, copied from the template in some 30 ms. Drop it in `afterAll`. */
export async function createTestDatabase(): Promise<TestDatabase> {
  const { url, rootKey: encoded } = inject('postgres')
  const rootKey = Buffer.from(encoded, 'base64')
  const keys = await providerOf(rootKey)
  const name = `test_${randomBytes(8).toString('hex')}`
  await asOwner(url, (client) => client.query(`CREATE DATABASE ${name} TEMPLATE ${TEMPLATE_DATABASE}`))
  const owned = new URL(url)
  owned.pathname = `/${name}`
  const { appUrl } = await prepareDatabase({ ownerUrl: owned.href, keys })
  const opened: Database[] = []
  return {
    name,
    ownerUrl: owned.href,
    appUrl,
    keys,
    rootKey,
    async open(options = {}) {
      const database = await openDatabase({ appUrl, clock: systemClock, ...options })
      opened.push(database)
      return database
    },
    query: async <R extends pg.QueryResultRow>(text: string, values: unknown[] = []) =>
      (await asOwner(owned.href, (client) => client.query<R>(text, values))).rows,
    async drop() {
      await Promise.all(opened.map((database) => database.close()))
      await asOwner(url, (client) => client.query(`DROP DATABASE ${name} WITH (FORCE)`))
    },
  }
}

export async function asOwner<T>(url: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url })
  client.on('error', () => undefined)
  await client.connect()
  try {
    return await use(client)
  } finally {
    await client.end()
  }
}

export type SeededTenant = {
  readonly tenantId: string
  readonly keyring: Keyring
  /** A user without a password. */
  addUser(username?: string): Promise<string>
  /** A group channel with these members. */
  addChannel(...members: string[]): Promise<{ id: string; dataKeyId: string }>
}

/** The least a storage test needs: a tenant with keys, and ways to add people and channels. */
export async function seedTenant(
  database: Database,
  keys: KeyProvider,
  clock: Clock = systemClock,
): Promise<SeededTenant> {
  const tenantId = randomUUID()
  const keyring = createKeyring({ database, keys, clock })
  await database.withTenant(tenantId, async (change) => {
    await change.db.tenant.create({ data: { id: tenantId, slug: `t-${tenantId.slice(0, 8)}`, name: 'Test' } })
    await keyring.createTenantKeys(change, tenantId)
    change.audit({ action: 'tenant.create', outcome: 'allowed' })
  })
  return {
    tenantId,
    keyring,
    addUser: (username = `user-${randomBytes(4).toString('hex')}`) =>
      database.withTenant(tenantId, async (change) => {
        const id = randomUUID()
        await change.db.user.create({ data: { tenantId, id, username, displayName: username } })
        change.audit({ action: 'user.create', outcome: 'allowed' })
        return id
      }),
    addChannel: (...members) =>
      database.withTenant(tenantId, async (change) => {
        const id = randomUUID()
        const dataKeyId = await keyring.createDataKey(change, tenantId, 'channel')
        await change.db.channel.create({ data: { tenantId, id, kind: 'group', dataKeyId } })
        await change.db.channelMember.createMany({
          data: members.map((userId) => ({ tenantId, channelId: id, userId })),
        })
        change.audit({ action: 'channel.create-group', outcome: 'allowed' })
        return { id, dataKeyId }
      }),
  }
}
