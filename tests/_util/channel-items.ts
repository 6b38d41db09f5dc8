import { createHash, randomUUID } from 'node:crypto'
import { auditId, decodeAuditEvent } from '../../apps/server/src/audit/event.ts'
import type { EventItem, ReceiptItem } from '../../apps/server/src/storage/channel-event.ts'
import type { TestDatabase } from './database.ts'

export const digestOf = (text: string) => createHash('sha256').update(text).digest()

/** A post as the gateway would hand it to the committer, with a body that nobody sealed. */
export function postItem(channelId: string, actorId: string, over: Partial<EventItem> = {}): EventItem {
  const id = over.id ?? randomUUID()
  return {
    kind: 'event',
    channelId,
    id,
    type: 'message.posted',
    actorId,
    clientId: randomUUID(),
    digest: digestOf(id),
    messageId: null,
    attributes: { priority: 'routine' },
    body: Buffer.from(`sealed ${id}`),
    audit: {
      action: 'message.post',
      outcome: 'allowed',
      reason: 'member',
      actor: auditId(actorId),
      message: auditId(id),
    },
    ...over,
  }
}

export function receiptItem(channelId: string, userId: string, delivered: number, read: number): ReceiptItem {
  return {
    kind: 'receipt',
    channelId,
    userId,
    delivered,
    read,
    audit: {
      action: 'receipt.mark',
      outcome: 'allowed',
      actor: auditId(userId),
      channel: auditId(channelId),
      seq: read,
    },
  }
}

type Queried = Pick<TestDatabase, 'query'>

/** A tenant's audit rows, writer by writer in their order. */
export async function auditRows(store: TestDatabase, tenantId: string) {
  const rows = await store.query<{ writer_id: string; writer_seq: string; at: Date; event: Buffer }>(
    'SELECT * FROM audit_outbox WHERE tenant_id = $1 ORDER BY writer_id, writer_seq',
    [tenantId],
  )
  return rows.map((row) => ({
    writer: row.writer_id,
    seq: Number(row.writer_seq),
    at: row.at,
    event: decodeAuditEvent(row.event),
  }))
}

/** The writers whose sequence is not 1, 2, 3, …: there must be none. */
export async function brokenWriters(store: Queried): Promise<string[]> {
  const rows = await store.query<{ writer_id: string }>(
    `SELECT writer_id FROM audit_outbox GROUP BY tenant_id, writer_id
     HAVING min(writer_seq) <> 1 OR max(writer_seq) <> count(*)`,
  )
  return rows.map((row) => row.writer_id)
}

/** The channels whose sequence is not 1, 2, … head: there must be none. */
export async function brokenChannels(store: Queried): Promise<string[]> {
  const rows = await store.query<{ id: string }>(
    `SELECT c.id FROM channels c LEFT JOIN channel_events e ON e.tenant_id = c.tenant_id AND e.channel_id = c.id
     GROUP BY c.tenant_id, c.id, c.head
     HAVING count(e.seq) <> c.head OR coalesce(max(e.seq), 0) <> c.head OR coalesce(min(e.seq), 1) <> 1`,
  )
  return rows.map((row) => row.id)
}
