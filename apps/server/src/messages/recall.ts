import { randomUUID } from 'node:crypto'
import type { ClientRequest } from '@wardline/protocol'
import type { Asker } from '../gateway/asker.ts'
import { onceId } from '../storage/channel-event.ts'
import { decideOfMessage, doneFrame } from './of-message.ts'
import { requestDigest, submit } from './submit.ts'

type MessageRecall = Extract<ClientRequest, { type: 'message.recall' }>

/** Takes back what one has said, once; the reason is a word of a list, and audited. A second time is the first again. */
export async function recall(asker: Asker, frame: MessageRecall): Promise<void> {
  const { known, audit } = await decideOfMessage(asker, 'message.recall', frame)
  const { user } = asker
  const { message, reason } = frame
  submit({
    asker,
    request: frame,
    known,
    item: {
      kind: 'event',
      channelId: known.resource.id,
      id: randomUUID(),
      type: 'message.recalled',
      actorId: user,
      clientId: onceId('recall', message),
      digest: requestDigest(known, [message, reason]),
      messageId: message,
      attributes: { reason },
      body: null,
      audit: { ...audit, reason },
    },
    event: { type: 'message.recalled', message, by: user, reason },
    answer: (accepted) => doneFrame(frame, accepted),
  })
}
