import { randomUUID } from 'node:crypto'
import type { ClientRequest } from '@wardline/protocol'
import { Refusal } from '../errors.ts'
import type { Asker } from '../gateway/asker.ts'
import { sealWith } from '../keys/envelope.ts'
import { decideOfMessage, doneFrame } from './of-message.ts'
import { BODY_PURPOSE } from './stored-event.ts'
import { requestDigest, submit } from './submit.ts'

type MessageCorrect = Extract<ClientRequest, { type: 'message.correct' }>

/** Another text for what one has said: the first stays where it is, for the audit and for who had read it. Not for what was recalled. */
export async function correct(asker: Asker, frame: MessageCorrect): Promise<void> {
  const { known, recalled, audit } = await decideOfMessage(asker, 'message.correct', frame)
  if (recalled) throw new Refusal('conflict', 'recalled')
  if (frame.body.length > asker.gateway.config.limits.bodyLength) throw new Refusal('too-large', 'oversize')
  const { tenant, user } = asker
  const { message, body } = frame
  const channel = known.resource.id
  const id = randomUUID()
  submit({
    asker,
    request: frame,
    known,
    item: {
      kind: 'event',
      channelId: channel,
      id,
      type: 'message.corrected',
      actorId: user,
      clientId: id,
      digest: requestDigest(known, [message, body]),
      messageId: message,
      attributes: {},
      body: sealWith(known.key, { tenant, scope: channel, row: id, purpose: BODY_PURPOSE }, Buffer.from(body)),
      audit,
    },
    event: { type: 'message.corrected', message, by: user, body },
    answer: (accepted) => doneFrame(frame, accepted),
  })
}
