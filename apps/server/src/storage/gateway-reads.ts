import { lockReason, renewalReason, tenantSettings } from '@wardline/protocol'
import type pg from 'pg'
import { z } from 'zod'
import { onceId } from './channel-event.ts'
import { StorageUnavailable } from './errors.ts'

// What the functions of migration `gateway` answer, checked here: they are SQL, and this is where its types begin.
const ms = z.number()
const storedAccess = z.object({
  version: z.int(),
  kind: z.enum(['person', 'service']),
  username: z.string(),
  displayName: z.string(),
  title: z.string().nullable(),
  /** The user, or the whole tenant. */
  disabled: z.boolean(),
  tenant: z.object({ id: z.string(), slug: z.string(), name: z.string(), version: z.int() }),
  roles: z.array(z.string()),
  permissions: z.array(z.string()),
  /** Current and coming assignments, and those of the last day; `channel` is the patient's. */
  careTeam: z.array(
    z.object({
      patient: z.string(),
      channel: z.string().nullable(),
      head: z.int().nullable(),
      startsAt: ms,
      endsAt: ms.nullable(),
    }),
  ),
  memberships: z.array(z.object({ channel: z.string(), head: z.int(), joinedAt: ms })),
  sessions: z.array(
    z.object({
      id: z.string(),
      expiresAt: ms,
      activeAt: ms,
      locked: lockReason.nullable(),
      renewal: z.object({ reason: renewalReason, after: ms, by: ms }).nullable(),
      networks: z.array(z.string()),
      agent: z.string().nullable(),
    }),
  ),
  settings: tenantSettings,
  /** A role of theirs demands a second factor, and they have none. */
  mustEnrol: z.boolean(),
  /** By `jti`: those that have not expired. */
  revokedTokens: z.array(z.string()),
})
const storedChannel = z.object({
  kind: z.enum(['patient', 'group', 'direct', 'broadcast']),
  patient: z.string().nullable(),
  dataKey: z.string(),
  archived: z.boolean(),
  head: z.int(),
  members: z.array(
    z.object({
      user: z.string(),
      displayName: z.string(),
      title: z.string().nullable(),
      role: z.string().nullable(),
      until: ms.nullable(),
    }),
  ),
  receipts: z.array(z.object({ user: z.string(), delivered: z.int(), read: z.int(), at: ms.nullable() })),
})

/** What decides what one user may do, and which of their sign-ins live. Times in epoch milliseconds. */
export type StoredAccess = z.infer<typeof storedAccess>
/** A channel with its head, who may see it now, and how far each has got. Times in epoch milliseconds. */
export type StoredChannel = z.infer<typeof storedChannel>

export type Unread = {
  readonly user: string
  readonly channel: string
  readonly head: number
  /** Messages of others beyond what was read, and the urgent and stat ones among them; counted up to the limit asked for. */
  readonly unread: number
  readonly urgent: number
}

type StoredMessage = { readonly channel: string; readonly sender: string; readonly recalled: boolean }

export type GatewayReads = {
  /** Null: there is no such user. @param at epoch milliseconds */
  readAccess(tenantId: string, userId: string, at: number): Promise<StoredAccess | null>
  /** Null: there is no such channel. @param at epoch milliseconds */
  readChannel(tenantId: string, channelId: string, at: number): Promise<StoredChannel | null>
  /** Whose message it is, where, and whether it was recalled; null: there is no such message. */
  findMessage(tenantId: string, messageId: string): Promise<StoredMessage | null>
  readUnread(
    tenantId: string,
    asked: readonly { readonly user: string; readonly channel: string }[],
    limit: number,
  ): Promise<Unread[]>
}

// Where there is no such user, null and anything together are null.
const ACCESS = `SELECT wardline_access($1,$2,$3) || jsonb_build_object('settings', wardline_settings($1), 'sessions', wardline_sessions($1,$2,$3),
  'mustEnrol', wardline_must_enrol($1,$2), 'revokedTokens', wardline_revoked_tokens($1,$2,$3))`

/** One round trip each; every one throws `StorageUnavailable` when the database is away. */
export function gatewayReadsFrom(pool: pg.Pool): GatewayReads {
  async function rows<R extends unknown[]>(name: string, text: string, values: unknown[]): Promise<R[]> {
    try {
      const result = await pool.query<R>({ name: `wardline_${name}`, text, values, rowMode: 'array' })
      return result.rows
    } catch (error) {
      throw new StorageUnavailable('reading failed', { cause: error })
    }
  }

  return {
    async readAccess(tenantId, userId, at) {
      const values = [tenantId, userId, new Date(at).toISOString()]
      const [row] = await rows<[unknown]>('access', ACCESS, values)
      return storedAccess.nullable().parse(row?.[0])
    },
    async readChannel(tenantId, channelId, at) {
      const values = [tenantId, channelId, new Date(at).toISOString()]
      const [row] = await rows<[unknown]>('channel', 'SELECT wardline_channel($1,$2,$3)', values)
      return storedChannel.nullable().parse(row?.[0])
    },
    async findMessage(tenantId, messageId) {
      const text = 'SELECT * FROM wardline_message($1,$2,$3)'
      const values = [tenantId, messageId, onceId('recall', messageId)]
      const [row] = await rows<[string, string, boolean]>('message', text, values)
      return row === undefined ? null : { channel: row[0], sender: row[1], recalled: row[2] }
    },
    async readUnread(tenantId, asked, limit) {
      const values = [tenantId, asked.map(({ user }) => user), asked.map(({ channel }) => channel), limit]
      const text = 'SELECT * FROM wardline_unread($1,$2,$3,$4)'
      const found = await rows<[string, string, string, string, string]>('unread', text, values)
      return found.map(([user, channel, head, unread, urgent]) => ({
        user,
        channel,
        head: Number(head),
        unread: Number(unread),
        urgent: Number(urgent),
      }))
    },
  }
}
