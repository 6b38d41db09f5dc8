import { z } from 'zod'
import { position, requestId, roleName, timestamp, uuid } from './ids.ts'

export const channelKind = z.enum(['patient', 'group', 'direct', 'broadcast'])
export type ChannelKind = z.infer<typeof channelKind>

/** One person who may see the channel now. `until` is when their assignment ends, where it does. */
export const member = z.strictObject({
  user: uuid,
  displayName: z.string(),
  title: z.string().nullable(),
  role: roleName.nullable(),
  until: timestamp.nullable(),
})
export type Member = z.infer<typeof member>

/** How far one person has got: the last sequence delivered to one of their devices, and the last they have read. */
export const receipt = z.strictObject({
  user: uuid,
  delivered: position,
  read: position,
  at: timestamp.nullable(),
})
export type Receipt = z.infer<typeof receipt>

/** client → server. `after`: the last sequence held; 0 for all that retention keeps; absent: only what comes. */
export const channelSubscribe = z.strictObject({
  type: z.literal('channel.subscribe'),
  id: requestId,
  channel: uuid,
  after: position.optional(),
})

/** server → client: then come the events after `after` in order, then `channel.live`. */
export const channelSubscribed = z.strictObject({
  type: z.literal('channel.subscribed'),
  replyTo: requestId,
  channel: uuid,
  head: position,
  members: z.array(member),
  receipts: z.array(receipt),
  abilities: z.array(z.string()),
})

/** server → client: all up to `seq` has been sent; what follows is live. Also after a slow reader has caught up. */
export const channelLive = z.strictObject({ type: z.literal('channel.live'), channel: uuid, seq: position })

export const channelUnsubscribe = z.strictObject({
  type: z.literal('channel.unsubscribe'),
  id: requestId,
  channel: uuid,
})

/** server → client: the subscription has ended and nothing more of this channel follows. */
export const channelClosed = z.strictObject({
  type: z.literal('channel.closed'),
  channel: uuid,
  reason: z.enum(['forbidden', 'removed', 'archived']),
})

/** client → server, not answered. Sequences only ever move forward; one beyond the head counts as the head. */
export const receiptMark = z.strictObject({
  type: z.literal('receipt.mark'),
  channel: uuid,
  delivered: position.optional(),
  read: position.optional(),
})

/** server → client: the last one wins. */
export const receiptMoved = z.strictObject({
  type: z.literal('receipt.moved'),
  channel: uuid,
  user: uuid,
  delivered: position,
  read: position,
})

/** client → server, not answered, never stored. */
export const typingSet = z.strictObject({ type: z.literal('typing.set'), channel: uuid, active: z.boolean() })

export const typingChanged = z.strictObject({
  type: z.literal('typing.changed'),
  channel: uuid,
  user: uuid,
  active: z.boolean(),
})

export const presenceStatus = z.enum(['available', 'busy', 'off-duty'])
export type PresenceStatus = z.infer<typeof presenceStatus>

export const presenceSet = z.strictObject({
  type: z.literal('presence.set'),
  id: requestId,
  status: presenceStatus,
  cover: uuid.optional(),
  until: timestamp.optional(),
})

export const presenceChanged = z.strictObject({
  type: z.literal('presence.changed'),
  user: uuid,
  status: presenceStatus,
  cover: uuid.nullable(),
  until: timestamp.nullable(),
})

/** server → client, for every channel of mine, subscribed or not; never a body. */
export const inboxChanged = z.strictObject({
  type: z.literal('inbox.changed'),
  channel: uuid,
  head: position,
  unread: z.int().min(0),
  /** Of the unread, those that are urgent or stat. */
  urgent: z.int().min(0),
})
