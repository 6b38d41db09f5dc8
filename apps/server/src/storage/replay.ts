import type pg from 'pg'
import type { ChannelEventType, EventAttributes } from './channel-event.ts'
import { StorageUnavailable } from './errors.ts'

/** A row of a channel's sequence as it is kept: the body still sealed. `at` in epoch milliseconds. */
export type StoredEvent = {
  readonly seq: number
  readonly id: string
  readonly type: ChannelEventType
  readonly actorId: string
  readonly clientId: string
  readonly messageId: string | null
  readonly attributes: EventAttributes
  readonly body: Buffer | null
  readonly at: number
}

/** Times in epoch milliseconds. */
export type StoredReceipt = {
  readonly userId: string
  readonly delivered: number
  readonly read: number
  readonly deliveredAt: number | null
  readonly readAt: number | null
}

/** What holds now: the truth behind the hints. Ids that are not of the tenant are missing. */
export type Poll = {
  /** Null: there is no such tenant. */
  readonly tenantVersion: number | null
  readonly users: ReadonlyMap<string, number>
  readonly heads: ReadonlyMap<string, number>
}

/** The most rows one call reads, so that memory is bounded whoever asks. */
const MAX_READ = 1_000

export type Replay = {
  /** Events with `seq > after`, ascending. @param limit at most {@link MAX_READ} */
  readEvents(tenantId: string, channelId: string, after: number, limit: number): Promise<StoredEvent[]>
  /** Events with `seq < before`, descending. @param limit at most {@link MAX_READ} */
  readBefore(tenantId: string, channelId: string, before: number, limit: number): Promise<StoredEvent[]>
  readReceipts(tenantId: string, channelId: string): Promise<StoredReceipt[]>
  poll(tenantId: string, userIds: readonly string[], channelIds: readonly string[]): Promise<Poll>
  readHeads(tenantId: string, channelIds: readonly string[]): Promise<ReadonlyMap<string, number>>
}

type EventRow = [string, string, string, string, string, string | null, EventAttributes, Buffer | null, string]

/** Reads by prepared SQL, one round trip each; every one throws `StorageUnavailable` when the database is away. */
export function replayFrom(pool: pg.Pool): Replay {
  async function rows<R extends unknown[]>(name: string, text: string, values: unknown[]): Promise<R[]> {
    try {
      const result = await pool.query<R>({ name: `wardline_${name}`, text, values, rowMode: 'array' })
      return result.rows
    } catch (error) {
      throw new StorageUnavailable('reading failed', { cause: error })
    }
  }

  async function events(
    direction: 'after' | 'before',
    ...[tenant, channel, from, limit]: [string, string, number, number]
  ) {
    const values = [tenant, channel, from, Math.min(limit, MAX_READ)]
    const found = await rows<EventRow>(direction, `SELECT * FROM wardline_events_${direction}($1,$2,$3,$4)`, values)
    return found.map(
      ([seq, id, type, actorId, clientId, messageId, attributes, body, at]): StoredEvent => ({
        seq: Number(seq),
        id,
        type: type as ChannelEventType,
        actorId,
        clientId,
        messageId,
        attributes,
        body,
        at: Number(at),
      }),
    )
  }

  async function poll(tenantId: string, userIds: readonly string[], channelIds: readonly string[]): Promise<Poll> {
    const text = 'SELECT * FROM wardline_poll($1,$2,$3)'
    const found = await rows<[string, string, string]>('poll', text, [tenantId, userIds, channelIds])
    const users = new Map<string, number>()
    const heads = new Map<string, number>()
    let tenantVersion: number | null = null
    for (const [kind, id, value] of found) {
      if (kind === 'tenant') tenantVersion = Number(value)
      else (kind === 'user' ? users : heads).set(id, Number(value))
    }
    return { tenantVersion, users, heads }
  }

  return {
    readEvents: (tenantId, channelId, after, limit) => events('after', tenantId, channelId, after, limit),
    readBefore: (tenantId, channelId, before, limit) => events('before', tenantId, channelId, before, limit),
    poll,
    readHeads: async (tenantId, channelIds) => (await poll(tenantId, [], channelIds)).heads,
    async readReceipts(tenantId, channelId) {
      const text = 'SELECT * FROM wardline_channel_receipts($1,$2)'
      type Row = [string, string, string, string | null, string | null]
      const found = await rows<Row>('receipts', text, [tenantId, channelId])
      return found.map(([userId, delivered, read, deliveredAt, readAt]) => ({
        userId,
        delivered: Number(delivered),
        read: Number(read),
        deliveredAt: deliveredAt === null ? null : Number(deliveredAt),
        readAt: readAt === null ? null : Number(readAt),
      }))
    },
  }
}
