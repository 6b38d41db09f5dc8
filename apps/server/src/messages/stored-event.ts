import {
  type ChannelEvent,
  type ChannelEventBody,
  channelEventBody,
  type MessagePost,
  type Phi,
} from '@wardline/protocol'
import { bySystem } from '../audit/by.ts'
import { type AuditFact, auditId } from '../audit/event.ts'
import { SealError } from '../keys/envelope.ts'
import { KeyDestroyed, KeyMissing, type Keyring } from '../keys/keyring.ts'
import type { EventAttributes } from '../storage/channel-event.ts'
import type { StoredEvent } from '../storage/replay.ts'

/** The body of a message, and that of its correction, is sealed to its row: to the event's id, within its channel. */
export const BODY_PURPOSE = 'body'

type Posted = Extract<ChannelEventBody, { type: 'message.posted' }>

/** Most messages are plain: what is kept beside their body is what differs from this. */
const plainPost = {
  priority: 'routine',
  intent: null,
  ackRequired: false,
  mentions: [],
  attachments: [],
  to: [],
} as const satisfies Partial<Posted>

/** What of a post is kept beside its body. */
export function postAttributes({ priority, intent, ackRequired, mentions }: MessagePost): EventAttributes {
  return {
    ...(priority === undefined || priority === plainPost.priority ? {} : { priority }),
    ...(intent === undefined ? {} : { intent }),
    ...(ackRequired === true ? { ackRequired } : {}),
    ...(mentions === undefined ? {} : { mentions }),
  }
}

/** A post as its readers get it: the same, whether it comes from the store or is only just on its way there. */
export function postedEvent(
  post: Pick<Posted, 'message' | 'sender' | 'clientId' | 'inReplyTo' | 'body'>,
  attributes: EventAttributes,
): Posted {
  return { type: 'message.posted', ...post, ...plainPost, ...(attributes as Partial<Posted>) }
}

/**
 * A stored event as its readers get it, over the socket and over HTTP alike: the one place where a body is opened. The caller has
 * asked policy. A body whose key was destroyed is empty. One that does not open, because somebody has changed it, is empty and
 * said to be unreadable, so that it does not take the others of its page with it; `audit` is told.
 */
export async function readableEvent(
  keyring: Keyring,
  tenant: string,
  channel: string,
  stored: StoredEvent,
  audit: (fact: AuditFact) => void,
): Promise<ChannelEvent> {
  const opened = stored.body === null ? '' : await openBody(keyring, tenant, channel, stored.id, stored.body)
  const at = new Date(stored.at).toISOString()
  if (opened === null) {
    const [message, about] = [auditId(stored.id), auditId(channel)]
    const fact = { action: 'message.unreadable', outcome: 'failed', reason: 'tampered' } as const
    audit({ ...bySystem, ...fact, channel: about, message, seq: stored.seq })
  }
  const unfoldedEvent = unfolded(stored, opened ?? '')
  const event = channelEventBody.parse(opened === null ? { ...unfoldedEvent, unreadable: true } : unfoldedEvent)
  return { type: 'channel.event', channel, seq: stored.seq, at, event }
}

/** Null: it does not open. */
async function openBody(
  keyring: Keyring,
  tenant: string,
  channel: string,
  row: string,
  sealed: Uint8Array,
): Promise<Phi | '' | null> {
  try {
    return await keyring.open(tenant, { scope: channel, row, purpose: BODY_PURPOSE }, sealed)
  } catch (error) {
    if (error instanceof KeyDestroyed) return ''
    if (error instanceof SealError || error instanceof KeyMissing) return null
    throw error
  }
}

/** Not yet checked against the contract: rows outlive the code that wrote them. */
function unfolded({ type, id, actorId, clientId, messageId, attributes }: StoredEvent, body: Phi | ''): object {
  switch (type) {
    case 'message.posted':
      return postedEvent({ message: id, sender: actorId, clientId, inReplyTo: messageId, body }, attributes)
    case 'message.corrected':
      return { type, message: messageId, by: actorId, body }
    case 'message.recalled':
      return { type, message: messageId, by: actorId, ...attributes }
    case 'message.acknowledged':
      return { type, message: messageId, by: actorId, response: null, ...attributes }
    case 'message.escalated':
      return { type, message: messageId, ...attributes }
    case 'member.joined':
    case 'member.left':
    case 'emergency-access.opened':
    case 'emergency-access.closed':
      return { type, ...attributes }
  }
}
