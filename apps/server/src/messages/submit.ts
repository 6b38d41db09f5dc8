import type { ChannelEventBody } from '@wardline/protocol'
import type { KnownChannel } from '../channels/known-channels.ts'
import { Refusal } from '../errors.ts'
import type { Asked, Asker } from '../gateway/asker.ts'
import type { CommitRequest } from '../gateway/committer.ts'
import { encode, type Frame } from '../gateway/frame.ts'
import { hmacSha256 } from '../keys/hmac.ts'
import type { CommitResult, EventItem } from '../storage/channel-event.ts'

/** What a committed event weighs beside its body, roughly, in bytes: for the bound of the queue. */
const ITEM_BYTES = 512

export type Accepted = { readonly id: string; readonly seq: number; readonly at: number; readonly repeated: boolean }

/** A channel event on its way: what was asked, the row to be, what its readers get, and how the asker is answered. */
export interface Submission {
  readonly asker: Asker
  readonly request: Asked
  readonly known: KnownChannel
  readonly item: EventItem
  readonly event: ChannelEventBody
  readonly answer: (accepted: Accepted) => Frame
}

/**
 * Hands an event to the committer. Once it is on disk with its audit event (P2) the asker is answered, and it goes to those who may
 * see it. @throws Refusal `unavailable` when too much is waiting
 */
export function submit(submission: Submission): void {
  const { asker, item } = submission
  asker.gateway.committers.of(asker.tenant).submit(new Submitted(submission, ITEM_BYTES + (item.body?.length ?? 0)))
}

/** 32 bytes over what was asked: under one client id, something else is a conflict (P4). */
export function requestDigest({ key }: KnownChannel, asked: readonly unknown[]): Buffer {
  return hmacSha256(key.digestKey, JSON.stringify(asked))
}

class Submitted implements CommitRequest {
  readonly bytes: number
  readonly #submission: Submission

  constructor(submission: Submission, bytes: number) {
    this.#submission = submission
    this.bytes = bytes
  }

  get item(): EventItem {
    return this.#submission.item
  }

  settled(result: CommitResult): void {
    const { asker, request, answer } = this.#submission
    switch (result.verdict) {
      case 'accepted':
        asker.answered(answer({ ...result, repeated: false }))
        this.#deliver(result.seq, result.at)
        return
      case 'repeated':
        asker.answered(answer({ ...result, repeated: true }))
        return
      case 'conflict':
        asker.refused(request, audited(new Refusal('conflict', 'conflict')))
        return
      case 'no-channel':
      case 'no-message':
        asker.refused(request, audited(new Refusal('not-found', 'not-found')))
        return
      default:
        asker.refused(request, audited(new Refusal('internal', 'internal')))
    }
  }

  failed(error: unknown): void {
    this.#submission.asker.refused(this.#submission.request, error)
  }

  #deliver(seq: number, at: number): void {
    const { asker, event, item } = this.#submission
    const { gateway, tenant } = asker
    const channel = item.channelId
    const sender = event.type === 'message.posted' ? event.sender : null
    const urgent = event.type === 'message.posted' && event.priority !== 'routine'
    if (gateway.hub.isRead(tenant, channel)) {
      const frame = encode({ type: 'channel.event', channel, seq, at: new Date(at).toISOString(), event })
      gateway.hub.committed(tenant, channel, { seq, frame, sender, urgent })
    } else if (sender !== null) gateway.inboxes.message(tenant, channel, { seq, sender, urgent })
  }
}

/** `commitBatch` has written the event of what it would not commit. */
function audited(refusal: Refusal): Refusal {
  refusal.audited = true
  return refusal
}
