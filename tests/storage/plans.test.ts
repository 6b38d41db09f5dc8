import { randomUUID } from 'node:crypto'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Database } from '../../apps/server/src/storage/open.ts'
import { postItem } from '../_util/channel-items.ts'
import { createTestDatabase, type SeededTenant, seedTenant, type TestDatabase } from '../_util/database.ts'

/** Rows beside those that a call is about. A plan that reads the tenant would read them all. */
const OTHERS = 3_000
/** Whose events are posts, for which no rule asks. */
const WRITER = randomUUID()

let store: TestDatabase
let database: Database
let tenant: SeededTenant
let nurse: string
let channelId: string
let client: pg.Client

beforeAll(async () => {
  store = await createTestDatabase()
  database = await store.open()
  tenant = await seedTenant(database, store.keys)
  nurse = await tenant.addUser()
  channelId = (await tenant.addChannel(nurse)).id
  await database.commitBatch(tenant.tenantId, [postItem(channelId, nurse)])
  client = new pg.Client({ connectionString: store.appUrl })
  await client.connect()
})
afterAll(async () => {
  await client.end()
  await store.drop()
})

/** Rows that one call reads, in index or table, of the tables that grow. */
async function rowsRead(text: string, values: unknown[]): Promise<number> {
  await client.query('BEGIN')
  await client.query({ name: text.slice(0, 40), text, values })
  const { rows } = await client.query<{ read: string }>(
    `SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) AS read FROM pg_stat_xact_user_tables
     WHERE relname IN ('channels', 'channel_events', 'receipts') OR relname LIKE 'outbox\\_%'`,
  )
  await client.query('COMMIT')
  return Number(rows[0]?.read)
}

const calls: [string, () => unknown[]][] = [
  [
    'SELECT * FROM wardline_commit($1,$2,0,now(),$3,$4,$5,$6,$7,$8,$9,$10,$11,$12,$13,$14,$15,$16,$17)',
    () => {
      const post = () => randomUUID()
      const three = <T>(make: () => T) => [make(), make(), make()]
      return [
        tenant.tenantId,
        randomUUID(),
        three(() => channelId),
        three(post),
        three(() => 'message.posted'),
        three(() => nurse),
        three(post),
        three(() => Buffer.alloc(32)),
        three(post),
        three(() => '{}'),
        three(() => Buffer.alloc(10)),
        three(() => Buffer.from('{}')),
        [channelId],
        [nurse],
        [1],
        [1],
        [Buffer.from('{}')],
      ]
    },
  ],
  ['SELECT * FROM wardline_events_after($1,$2,0,3)', () => [tenant.tenantId, channelId]],
  ['SELECT * FROM wardline_events_before($1,$2,3,3)', () => [tenant.tenantId, channelId]],
  ['SELECT * FROM wardline_channel_receipts($1,$2)', () => [tenant.tenantId, channelId]],
  ['SELECT * FROM wardline_poll($1,$2,$3)', () => [tenant.tenantId, [nurse], [channelId]]],
  ['SELECT * FROM wardline_inbox($1,$2)', () => [tenant.tenantId, [channelId, channelId]]],
  [
    'SELECT * FROM wardline_awaiting($1,$2,$3,$4,200)',
    () => [tenant.tenantId, nurse, [channelId, channelId], [new Date(0), new Date(0)]],
  ],
  ['SELECT * FROM wardline_alert_rows($1,$2,$3,$4,$5)', () => [tenant.tenantId, [WRITER], [1], [OTHERS], new Date(0)]],
]

describe('plans', () => {
  it('made and kept while tables hold one row read no more once they hold thousands', async () => {
    for (const table of ['channels', 'channel_events', 'receipts', 'audit_outbox', 'users'])
      await store.query(`ANALYZE ${table}`)
    const before: number[] = []
    // Six times: PostgreSQL would try five plans before it keeps one.
    for (const [text, values] of calls) {
      for (let i = 0; i < 6; i++) before.push(await rowsRead(text, values()))
    }
    const of = (count: number) => `FROM generate_series(1, ${count}) n`
    const { tenantId } = tenant
    const [key] = await store.query<{ id: string }>("SELECT id FROM data_keys WHERE purpose = 'channel'")
    await store.query(
      `INSERT INTO channels (tenant_id, id, kind, data_key_id) SELECT '${tenantId}', gen_random_uuid(), 'group', '${key!.id}' ${of(OTHERS)}`,
    )
    await store.query(
      `INSERT INTO channel_events SELECT '${tenantId}', gen_random_uuid(), n, gen_random_uuid(), 'message.posted', '${nurse}', gen_random_uuid(), '', NULL, '{}', '', now() ${of(OTHERS)}`,
    )
    // Many in the same channel, of which one asks for an acknowledgement; and many that ask elsewhere.
    const asking = `CASE WHEN n = 1 THEN '{"ackRequired": true}'::jsonb ELSE '{}' END`
    await store.query(
      `INSERT INTO channel_events SELECT '${tenantId}', '${channelId}', 100 + n, gen_random_uuid(), 'message.posted', '${tenantId}', gen_random_uuid(), '', NULL, ${asking}, '', now() ${of(OTHERS)}`,
    )
    await store.query(
      `INSERT INTO channel_events SELECT '${tenantId}', gen_random_uuid(), n, gen_random_uuid(), 'message.acknowledged', '${nurse}', gen_random_uuid(), '', gen_random_uuid(), '{}', '', now() ${of(OTHERS)}`,
    )
    await store.query(
      `INSERT INTO receipts (tenant_id, channel_id, user_id) SELECT '${tenantId}', gen_random_uuid(), '${nurse}' ${of(OTHERS)}`,
    )
    await store.query(
      `INSERT INTO audit_outbox SELECT '${tenantId}', '${WRITER}', n, now(), '{"action":"message.post","outcome":"allowed"}' ${of(OTHERS)}`,
    )
    const after: [string, number][] = []
    for (const [text, values] of calls) after.push([text.slice(14, 40), await rowsRead(text, values())])
    for (const [name, read] of after) expect(read, name).toBeLessThan(100)
    expect(Math.max(...before)).toBeLessThan(100)
  })
})
