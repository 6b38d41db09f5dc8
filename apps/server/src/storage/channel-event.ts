import { createHash } from 'node:crypto'
import type { AuditFact } from '../audit/event.ts'

/** The sequenced kinds of row, as in packages/protocol's `channelEventBody`. */
export type ChannelEventType =
  | 'message.posted'
  | 'message.corrected'
  | 'message.recalled'
  | 'message.acknowledged'
  | 'message.escalated'
  | 'member.joined'
  | 'member.left'
  | 'emergency-access.opened'
  | 'emergency-access.closed'

/** Of the event, a closed shape of ids, numbers and words of lists. Never text that somebody typed. */
export type EventAttributes = { readonly [name: string]: string | number | boolean | null | readonly string[] }

/** A row to be: it gets its sequence when it is committed. Ids are UUIDs in lower case. */
export type EventItem = {
  readonly kind: 'event'
  readonly channelId: string
  /** New for each attempt that a person makes; of a post the message's id, to which the body is sealed. */
  readonly id: string
  readonly type: ChannelEventType
  /** `NIL_UUID`: the system itself. */
  readonly actorId: string
  /** The actor's own id for it: the same again is a repeat. Where the frame has none: `id`, or {@link onceId}. */
  readonly clientId: string
  /** 32 bytes over what is asked for: under one client id another digest is a conflict (P4). */
  readonly digest: Uint8Array
  /** The message it speaks of, which must be one of this channel; of a post the one it replies to. */
  readonly messageId: string | null
  readonly attributes: EventAttributes
  /** Sealed. */
  readonly body: Uint8Array | null
  readonly audit: AuditFact
}

/** How far somebody has got. Only moves forward, and never beyond the head; who has read has received. */
export type ReceiptItem = {
  readonly kind: 'receipt'
  readonly channelId: string
  readonly userId: string
  readonly delivered: number
  readonly read: number
  /** Written when `read` moves. */
  readonly audit: AuditFact
}

export type CommitItem = EventItem | ReceiptItem

export type EventResult =
  /** `at` in epoch milliseconds. `repeated`: id, seq and at of the first time. */
  | { readonly verdict: 'accepted' | 'repeated'; readonly id: string; readonly seq: number; readonly at: number }
  /** `no-channel`: not of this tenant, or archived. `no-message`: not a message of that channel. */
  | { readonly verdict: 'conflict' | 'no-channel' | 'no-message' }
  /** The database will not have it, alone as in company; or its audit event could not be written. */
  | { readonly verdict: 'rejected' }

export type ReceiptResult =
  /** What now holds. `read`: it was read further; `moved`: received further; `same`: neither. */
  | { readonly verdict: 'read' | 'moved'; readonly delivered: number; readonly read: number }
  | { readonly verdict: 'same' | 'no-channel' | 'rejected' }

export type CommitResult = EventResult | ReceiptResult

/**
 * The client id of what one actor can do once to one message (acknowledge it): a second time is a repeat of the first and
 * gets its sequence. A UUID made of a hash (RFC 9562 §5.8), so that it collides with nobody's random ids.
 */
export function onceId(purpose: 'acknowledge' | 'recall' | 'escalate', messageId: string, step = 0): string {
  const hash = createHash('sha256').update(`wardline once|${purpose}|${messageId}|${step}`).digest('hex')
  const variant = ((Number.parseInt(hash.slice(16, 18), 16) & 0x3f) | 0x80).toString(16)
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-${variant}${hash.slice(18, 20)}-${hash.slice(20, 32)}`
}
