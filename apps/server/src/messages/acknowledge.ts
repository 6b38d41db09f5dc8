import { randomUUID } from 'node:crypto'
import { acknowledgeResponse, type ClientRequest } from '@wardline/protocol'
import type { Asker } from '../gateway/asker.ts'
import { onceId } from '../storage/channel-event.ts'
import { decideOfMessage, doneFrame } from './of-message.ts'
import { requestDigest, submit } from './submit.ts'

type MessageAcknowledge = Extract<ClientRequest, { type: 'message.acknowledge' }>

/** Says that one has taken note of a message, and what one will do. The same response a second time is the first again. */
export async function acknowledge(asker: Asker, frame: MessageAcknowledge): Promise<void> {
  const { known, audit } = await decideOfMessage(asker, 'message.acknowledge', frame)
  const { user } = asker
  const { message } = frame
  const response = frame.response ?? null
  const step = response === null ? 0 : 1 + acknowledgeResponse.options.indexOf(response)
  submit({
    asker,
    request: frame,
    known,
    item: {
      kind: 'event',
      channelId: known.resource.id,
      id: randomUUID(),
      type: 'message.acknowledged',
      actorId: user,
      clientId: onceId('acknowledge', message, step),
      digest: requestDigest(known, [message, response]),
      messageId: message,
      attributes: response === null ? {} : { response },
      body: null,
      audit,
    },
    event: { type: 'message.acknowledged', message, by: user, response },
    answer: (accepted) => doneFrame(frame, accepted),
  })
}
