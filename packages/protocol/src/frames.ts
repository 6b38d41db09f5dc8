import { z } from 'zod'
import { alertsChanged } from './alerts.ts'
import * as channel from './channel.ts'
import { errorCode, retry } from './errors.ts'
import { requestId } from './ids.ts'
import * as message from './message.ts'
import * as session from './session.ts'

/** A refused request, or a fault that no request caused. The socket lives. */
export const errorFrame = z.strictObject({
  type: z.literal('error'),
  replyTo: requestId.optional(),
  code: errorCode,
  message: z.string(),
  retry,
  retryAfterMs: z.int().min(0).optional(),
})
export type ErrorFrame = z.infer<typeof errorFrame>

/** server → client: this node stops soon; come back, to any node, after the stated and jittered delay. */
export const serverDraining = z.strictObject({
  type: z.literal('server.draining'),
  reconnectAfterMs: z.int().min(0),
})

/** Everything a client may send once it is authenticated. */
export const clientRequest = z.discriminatedUnion('type', [
  message.messagePost,
  message.messageCorrect,
  message.messageRecall,
  message.messageAcknowledge,
  channel.channelSubscribe,
  channel.channelUnsubscribe,
  channel.receiptMark,
  channel.typingSet,
  channel.presenceSet,
  session.sessionRenew,
  session.sessionPing,
  session.sessionActivity,
])
export type ClientRequest = z.infer<typeof clientRequest>
export type ClientRequestType = ClientRequest['type']

/** Everything a client may send at all. */
export const clientFrame = z.discriminatedUnion('type', [session.sessionAuthenticate, ...clientRequest.options])
export type ClientFrame = z.infer<typeof clientFrame>

/** The same as a client writes it: its text is plain until a schema has judged it. */
export type WrittenFrame = z.input<typeof clientFrame>

/** Everything a server may send. */
export const serverFrame = z.discriminatedUnion('type', [
  session.sessionChallenge,
  session.sessionAuthenticated,
  session.sessionRenewRequired,
  session.sessionRenewed,
  session.sessionWarning,
  channel.channelSubscribed,
  channel.channelLive,
  channel.channelClosed,
  message.channelEvent,
  message.messageAccepted,
  message.done,
  channel.receiptMoved,
  channel.typingChanged,
  channel.presenceChanged,
  channel.inboxChanged,
  alertsChanged,
  serverDraining,
  errorFrame,
])
export type ServerFrame = z.infer<typeof serverFrame>
export type ServerFrameOf<T extends ServerFrame['type']> = Extract<ServerFrame, { type: T }>

/** The types of frame a client may send: anything else is a protocol violation (4400), not an `invalid` request. */
export const CLIENT_FRAME_TYPES: ReadonlySet<string> = new Set(clientFrame.options.map((o) => o.shape.type.value))
