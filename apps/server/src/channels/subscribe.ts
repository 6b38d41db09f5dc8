import { channelAbilities } from '@wardline/policy'
import type { ClientRequest, ServerFrameOf } from '@wardline/protocol'
import { type AuditFact, auditId } from '../audit/event.ts'
import { Refusal } from '../errors.ts'
import type { Asker } from '../gateway/asker.ts'
import { encode } from '../gateway/frame.ts'
import type { KnownChannel, ReadChannel } from './known-channels.ts'
import { membersOf, receiptsOf } from './members.ts'

type ChannelSubscribe = Extract<ClientRequest, { type: 'channel.subscribe' }>
type ChannelUnsubscribe = Extract<ClientRequest, { type: 'channel.unsubscribe' }>

/**
 * Everything of a channel after `after`, then whatever comes (R-42, P3). The subscription is made first and the store read after it:
 * what is committed in between is in one of the two. That somebody reads here is on disk before they read.
 */
export async function subscribe(asker: Asker, frame: ChannelSubscribe): Promise<void> {
  const { gateway, tenant } = asker
  const { channels, database } = gateway
  const known = await channels.load(tenant, frame.channel)
  if (known === null) throw new Refusal('not-found', 'not-found')
  const right = asker.decide('channel.read', known.resource)
  const subscription = asker.subscribe(known.resource)
  try {
    const [read] = await Promise.all([
      channels.read(tenant, frame.channel),
      database.auditOnly(tenant, auditOfSubscribe(asker, frame, known, right.reason)),
    ])
    if (read === null) throw new Refusal('not-found', 'not-found')
    // Replaced by a later request for the same channel, unsubscribed again, or gone with its socket.
    if (subscription.closed) throw new Refusal('conflict', 'replaced')
    if (!subscription.judge().allowed) throw new Refusal('forbidden', 'forbidden')
    const { head } = read.stored
    const after = frame.after ?? head
    // A sequence that was never given out: this client holds what this database has not (it was restored, say).
    if (after > head) throw new Refusal('conflict', 'conflict')
    subscription.feed.begin(head)
    subscription.revise(read.known.resource)
    asker.answered(encode(subscribedFrame(asker, frame, read)))
    subscription.begun()
    gateway.presence.tell(asker, read.stored.members)
    void subscription.replay(after)
  } catch (error) {
    subscription.close()
    throw error
  }
}

export function unsubscribe(asker: Asker, frame: ChannelUnsubscribe): void {
  const subscription = asker.subscription(frame.channel)
  subscription?.close()
  if (subscription !== undefined) {
    asker.audit({ action: 'channel.unsubscribe', outcome: 'allowed', channel: auditId(frame.channel) })
  }
  asker.answered(encode({ type: 'done', replyTo: frame.id }))
}

function subscribedFrame(
  asker: Asker,
  { id, channel }: ChannelSubscribe,
  { known, stored }: ReadChannel,
): ServerFrameOf<'channel.subscribed'> {
  const { clock, policy } = asker.gateway
  return {
    type: 'channel.subscribed',
    replyTo: id,
    channel,
    head: stored.head,
    members: membersOf(stored),
    receipts: receiptsOf(stored),
    abilities: channelAbilities(asker.actor, known.resource, { now: clock.now(), policy }),
  }
}

function auditOfSubscribe(
  { trail }: Asker,
  { channel, after }: ChannelSubscribe,
  { resource: { patient } }: KnownChannel,
  reason: NonNullable<AuditFact['reason']>,
): AuditFact {
  return {
    ...trail,
    action: 'channel.subscribe',
    outcome: 'allowed',
    reason,
    channel: auditId(channel),
    ...(patient === null ? {} : { patient: auditId(patient) }),
    ...(after === undefined ? {} : { seq: after }),
  }
}
