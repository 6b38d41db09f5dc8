import type { ChannelKind, Priority } from '@wardline/protocol'
import type pg from 'pg'
import { StorageUnavailable } from './errors.ts'

/** A channel as an inbox lists it. Times in epoch milliseconds. */
export type InboxChannel = {
  readonly id: string
  readonly kind: ChannelKind
  readonly patientId: string | null
  readonly archived: boolean
  readonly sealedTitle: Buffer | null
  readonly head: number
  /** Of the last event; null while there is none. */
  readonly lastAt: number | null
  /** The same, or the channel's creation. */
  readonly activeAt: number
}

/** What waits for one person in one channel, of one priority. `oldest` in epoch milliseconds. */
export type Awaiting = {
  readonly channel: string
  readonly priority: Priority
  readonly messages: number
  readonly oldest: number
}

export type InboxReads = {
  /** In no order; ids that are not of the tenant are missing. */
  readInbox(tenantId: string, channelIds: readonly string[]): Promise<InboxChannel[]>
  /**
   * Messages of others that ask for an acknowledgement and have none of this person's; of those posted before `since` (epoch
   * milliseconds: when the person came to the channel) the ones that nobody has acknowledged.
   *
   * @param limit how many such messages of each channel are looked at, the last ones
   */
  readAwaiting(
    tenantId: string,
    userId: string,
    asked: readonly { readonly channel: string; readonly since: number }[],
    limit: number,
  ): Promise<Awaiting[]>
}

type InboxRow = [string, string, string | null, boolean, Buffer | null, string, string | null, string]

/** One round trip each; both throw `StorageUnavailable` when the database is away. */
export function inboxReadsFrom(pool: pg.Pool): InboxReads {
  async function rows<R extends unknown[]>(name: string, text: string, values: unknown[]): Promise<R[]> {
    try {
      const result = await pool.query<R>({ name: `wardline_${name}`, text, values, rowMode: 'array' })
      return result.rows
    } catch (error) {
      throw new StorageUnavailable('reading failed', { cause: error })
    }
  }

  return {
    async readInbox(tenantId, channelIds) {
      const found = await rows<InboxRow>('inbox', 'SELECT * FROM wardline_inbox($1,$2)', [tenantId, channelIds])
      return found.map(([id, kind, patientId, archived, sealedTitle, head, lastAt, activeAt]) => ({
        id,
        kind: kind as ChannelKind,
        patientId,
        archived,
        sealedTitle,
        head: Number(head),
        lastAt: lastAt === null ? null : Number(lastAt),
        activeAt: Number(activeAt),
      }))
    },
    async readAwaiting(tenantId, userId, asked, limit) {
      const since = asked.map((each) => new Date(each.since).toISOString())
      const values = [tenantId, userId, asked.map(({ channel }) => channel), since, limit]
      const text = 'SELECT * FROM wardline_awaiting($1,$2,$3,$4,$5)'
      const found = await rows<[string, string, string, string]>('awaiting', text, values)
      return found.map(([channel, priority, messages, oldest]) => ({
        channel,
        priority: priority as Priority,
        messages: Number(messages),
        oldest: Number(oldest),
      }))
    },
  }
}
