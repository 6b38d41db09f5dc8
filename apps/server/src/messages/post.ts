import { randomUUID } from 'node:crypto'
import type { MessagePost } from '@wardline/protocol'
import { auditId } from '../audit/event.ts'
import type { KnownChannel } from '../channels/known-channels.ts'
import { Refusal } from '../errors.ts'
import type { Asker } from '../gateway/asker.ts'
import { textFrame } from '../gateway/frame.ts'
import { sealWith } from '../keys/envelope.ts'
import { BODY_PURPOSE, postAttributes, postedEvent } from './stored-event.ts'
import { type Accepted, requestDigest, submit } from './submit.ts'

/**
 * A message: decided, sealed and handed to the committer in one go where the channel is known, so that what one socket posts is
 * committed in the order in which it was posted (P7). The same `clientId` again gives the same message (P4).
 */
export function post(asker: Asker, frame: MessagePost): Promise<void> | undefined {
  const { channels } = asker.gateway
  const known = channels.peek(asker.tenant, frame.channel)
  if (known !== undefined && frame.mentions === undefined) {
    postTo(asker, frame, known)
    return undefined
  }
  return channels.load(asker.tenant, frame.channel).then(async (loaded) => {
    if (loaded === null) throw new Refusal('not-found', 'not-found')
    await checkMentions(asker, frame, loaded)
    postTo(asker, frame, loaded)
  })
}

/** Who is mentioned is somebody of this tenant: any other id would be kept as typed. Asked for those alone who may post here at all. */
async function checkMentions(asker: Asker, { mentions }: MessagePost, { resource }: KnownChannel): Promise<void> {
  if (mentions === undefined) return
  asker.decide('message.post', resource)
  const ids = [...new Set(mentions)]
  const { tenant: tenantId, gateway } = asker
  const known = await gateway.database.readTenant(tenantId, (db) =>
    db.user.count({ where: { tenantId, id: { in: ids } } }),
  )
  if (known < ids.length) throw new Refusal('not-found', 'not-found')
}

function postTo(asker: Asker, frame: MessagePost, known: KnownChannel): void {
  const { resource } = known
  const { reason } = asker.decide('message.post', resource)
  if (frame.body.length > asker.gateway.config.limits.bodyLength) throw new Refusal('too-large', 'oversize')
  // There are neither attachments nor role addresses yet that could be named; and what names nothing would be kept as typed.
  if (frame.attachments !== undefined || frame.to !== undefined) throw new Refusal('not-found', 'not-found')

  const { channel, clientId, body } = frame
  const { tenant, user } = asker
  const id = randomUUID()
  const inReplyTo = frame.inReplyTo ?? null
  const attributes = postAttributes(frame)
  submit({
    asker,
    request: frame,
    known,
    item: {
      kind: 'event',
      channelId: channel,
      id,
      type: 'message.posted',
      actorId: user,
      clientId,
      digest: requestDigest(known, [channel, body, attributes, inReplyTo]),
      messageId: inReplyTo,
      attributes,
      body: sealWith(known.key, { tenant, scope: channel, row: id, purpose: BODY_PURPOSE }, Buffer.from(body)),
      audit: {
        ...asker.trail,
        action: 'message.post',
        outcome: 'allowed',
        reason,
        channel: auditId(channel),
        message: auditId(id),
        ...(resource.patient === null ? {} : { patient: auditId(resource.patient) }),
      },
    },
    event: postedEvent({ message: id, sender: user, clientId, inReplyTo, body }, attributes),
    answer: (accepted) => acceptedFrame(frame, accepted),
  })
}

/** `message.accepted`, put together by hand: there is one for each post, and nothing in it needs escaping. */
function acceptedFrame({ id, channel, clientId }: MessagePost, { id: message, seq, at, repeated }: Accepted) {
  return textFrame(
    `{"type":"message.accepted","replyTo":"${id}","channel":"${channel}","clientId":"${clientId}","message":"${message}",` +
      `"seq":${seq},"at":"${new Date(at).toISOString()}","repeated":${repeated}}`,
  )
}
