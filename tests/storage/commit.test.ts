import { createHash, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { auditId, decodeAuditEvent } from '../../apps/server/src/audit/event.ts'
import { type EventItem, onceId } from '../../apps/server/src/storage/channel-event.ts'
import type { Database } from '../../apps/server/src/storage/open.ts'
import { createTestDatabase, type SeededTenant, seedTenant, type TestDatabase } from '../_util/database.ts'

let store: TestDatabase
let database: Database
let tenant: SeededTenant
let nurse: string

beforeAll(async () => {
  store = await createTestDatabase()
  database = await store.open()
  tenant = await seedTenant(database, store.keys)
  nurse = await tenant.addUser()
})
afterAll(() => store.drop())

function post(channelId: string, over: Partial<EventItem> = {}): EventItem {
  const id = over.id ?? randomUUID()
  const body = over.body === undefined ? Buffer.from(`sealed ${id}`) : over.body
  return {
    kind: 'event',
    channelId,
    id,
    type: 'message.posted',
    actorId: nurse,
    clientId: randomUUID(),
    digest: createHash('sha256')
      .update(body ?? '')
      .digest(),
    messageId: null,
    attributes: { priority: 'routine' },
    body,
    audit: {
      action: 'message.post',
      outcome: 'allowed',
      reason: 'member',
      actor: auditId(nurse),
      message: auditId(id),
    },
    ...over,
  }
}

async function auditOf(tenantId = tenant.tenantId) {
  const rows = await store.query<{ writer_id: string; writer_seq: string; event: Buffer }>(
    'SELECT writer_id, writer_seq, event FROM audit_outbox WHERE tenant_id = $1 ORDER BY writer_id, writer_seq',
    [tenantId],
  )
  return rows.map((row) => ({ writer: row.writer_id, seq: Number(row.writer_seq), event: decodeAuditEvent(row.event) }))
}

describe('commitBatch', () => {
  it('R-41 gives each channel its own sequence from 1, without gaps, in the order given', async () => {
    const [a, b] = [(await tenant.addChannel(nurse)).id, (await tenant.addChannel(nurse)).id]
    const items = [post(a), post(b), post(a), post(a), post(b)]
    const results = await database.commitBatch(tenant.tenantId, items)
    expect(results).toMatchObject([1, 1, 2, 3, 2].map((seq, i) => ({ verdict: 'accepted', seq, id: items[i]!.id })))
    const events = await database.readEvents(tenant.tenantId, a, 0, 10)
    expect(events.map((event) => [event.seq, event.id, event.body?.toString()])).toEqual([
      [1, items[0]!.id, `sealed ${items[0]!.id}`],
      [2, items[2]!.id, `sealed ${items[2]!.id}`],
      [3, items[3]!.id, `sealed ${items[3]!.id}`],
    ])
    expect(events[0]).toMatchObject({ type: 'message.posted', actorId: nurse, attributes: { priority: 'routine' } })
    expect(await database.readHeads(tenant.tenantId, [a, b])).toEqual(
      new Map([
        [a, 3],
        [b, 2],
      ]),
    )
  })

  it('[P4] repeats give the first id and sequence, another digest is a conflict, neither takes a sequence', async () => {
    const { id } = await tenant.addChannel(nurse)
    const first = post(id)
    const [accepted] = await database.commitBatch(tenant.tenantId, [first])
    const again = { ...first, id: randomUUID() }
    const other = { ...first, id: randomUUID(), digest: createHash('sha256').update('other').digest() }
    const results = await database.commitBatch(tenant.tenantId, [again, other, post(id)])
    expect(results).toMatchObject([
      { ...accepted, verdict: 'repeated' },
      { verdict: 'conflict' },
      { verdict: 'accepted', seq: 2 },
    ])
  })

  it('[P4] holds within one batch as well', async () => {
    const { id } = await tenant.addChannel(nurse)
    const first = post(id)
    const again = { ...first, id: randomUUID() }
    const other = { ...first, id: randomUUID(), digest: createHash('sha256').update('other').digest() }
    const results = await database.commitBatch(tenant.tenantId, [first, again, other, post(id)])
    expect(results).toMatchObject([
      { verdict: 'accepted', id: first.id, seq: 1 },
      { verdict: 'repeated', id: first.id, seq: 1 },
      { verdict: 'conflict' },
      { verdict: 'accepted', seq: 2 },
    ])
  })
})
void auditOf
void onceId
