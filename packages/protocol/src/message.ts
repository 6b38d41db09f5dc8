import { z } from 'zod'
import { position, requestId, roleName, sequence, timestamp, uuid } from './ids.ts'
import { MAX_BODY_LENGTH } from './limits.ts'
import { typedText } from './text.ts'

export const priority = z.enum(['routine', 'urgent', 'stat'])
export type Priority = z.infer<typeof priority>

/** What the sender wants of the reader: for information; do something; a concern, call me; at once. */
export const intent = z.enum(['fyi', 'action', 'concern', 'stat'])
export type Intent = z.infer<typeof intent>

/** Why a message is recalled. A list and not a text: the reason is audited, and the audit holds no ePHI. */
export const recallReason = z.enum(['wrong-patient', 'wrong-recipient', 'wrong-content', 'duplicate'])
export type RecallReason = z.infer<typeof recallReason>

/** What an acknowledgement answers. A list for the same reason. */
export const acknowledgeResponse = z.enum(['seen', 'will-do', 'on-my-way', 'call-me', 'cannot'])
export type AcknowledgeResponse = z.infer<typeof acknowledgeResponse>

const mentions = z.array(uuid).min(1).max(50)
const attachments = z.array(uuid).min(1).max(10)
const to = z.array(roleName).min(1).max(10)

/** client → server. `clientId` makes a retry safe: the same id from the same sender gives the same message (P4). */
export const messagePost = z.strictObject({
  type: z.literal('message.post'),
  id: requestId,
  channel: uuid,
  clientId: uuid,
  body: typedText(1, MAX_BODY_LENGTH),
  priority: priority.optional(),
  intent: intent.optional(),
  ackRequired: z.boolean().optional(),
  inReplyTo: uuid.optional(),
  mentions: mentions.optional(),
  attachments: attachments.optional(),
  to: to.optional(),
})
export type MessagePost = z.infer<typeof messagePost>

/** server → client: the message and its audit event are on disk (P2). */
export const messageAccepted = z.strictObject({
  type: z.literal('message.accepted'),
  replyTo: requestId,
  channel: uuid,
  clientId: uuid,
  message: uuid,
  seq: sequence,
  at: timestamp,
  repeated: z.boolean(),
})
export type MessageAccepted = z.infer<typeof messageAccepted>

export const messageCorrect = z.strictObject({
  type: z.literal('message.correct'),
  id: requestId,
  message: uuid,
  body: typedText(1, MAX_BODY_LENGTH),
})

export const messageRecall = z.strictObject({
  type: z.literal('message.recall'),
  id: requestId,
  message: uuid,
  reason: recallReason,
})

export const messageAcknowledge = z.strictObject({
  type: z.literal('message.acknowledge'),
  id: requestId,
  message: uuid,
  response: acknowledgeResponse.optional(),
})

/** server → client, for requests that have nothing more to say than that they are on disk. */
export const done = z.strictObject({
  type: z.literal('done'),
  replyTo: requestId,
  seq: position.optional(),
})

const body = z.string().max(MAX_BODY_LENGTH)
/** What is stored does not open: somebody has changed it, or put it where it does not belong. The body is empty then. */
const unreadable = z.literal(true).optional()

/** The durable events of a channel, one for each sequence number. */
export const channelEventBody = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('message.posted'),
    message: uuid,
    sender: uuid,
    clientId: uuid,
    body,
    priority,
    intent: intent.nullable(),
    ackRequired: z.boolean(),
    inReplyTo: uuid.nullable(),
    mentions: z.array(uuid),
    attachments: z.array(uuid),
    to: z.array(roleName),
    unreadable,
  }),
  z.strictObject({ type: z.literal('message.corrected'), message: uuid, by: uuid, body, unreadable }),
  z.strictObject({ type: z.literal('message.recalled'), message: uuid, by: uuid, reason: recallReason }),
  z.strictObject({
    type: z.literal('message.acknowledged'),
    message: uuid,
    by: uuid,
    response: acknowledgeResponse.nullable(),
  }),
  z.strictObject({ type: z.literal('message.escalated'), message: uuid, to: roleName, step: sequence }),
  z.strictObject({ type: z.literal('member.joined'), user: uuid, role: roleName.nullable() }),
  z.strictObject({ type: z.literal('member.left'), user: uuid }),
  z.strictObject({
    type: z.literal('emergency-access.opened'),
    user: uuid,
    reason: z.string(),
    until: timestamp,
  }),
  z.strictObject({ type: z.literal('emergency-access.closed'), user: uuid }),
])
export type ChannelEventBody = z.infer<typeof channelEventBody>

/** server → client: one durable event, gapless and in order within its channel (P3). */
export const channelEvent = z.strictObject({
  type: z.literal('channel.event'),
  channel: uuid,
  seq: sequence,
  at: timestamp,
  event: channelEventBody,
})
export type ChannelEvent = z.infer<typeof channelEvent>
