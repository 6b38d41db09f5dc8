import type { ClientRequest } from '@wardline/protocol'
import { subscribe, unsubscribe } from '../channels/subscribe.ts'
import { acknowledge } from '../messages/acknowledge.ts'
import { correct } from '../messages/correct.ts'
import { post } from '../messages/post.ts'
import { recall } from '../messages/recall.ts'
import { setPresence } from '../presence/set.ts'
import { mark } from '../receipts/mark.ts'
import { setTyping } from '../typing/set.ts'
import { encode } from './frame.ts'
import { renew } from './renew.ts'
import type { SignedIn } from './signed-in.ts'

/** Which act a frame asks for. An act that gives a promise is not finished, and its rejection is a refusal like any other. */
export function perform(asker: SignedIn, frame: ClientRequest): Promise<void> | undefined {
  switch (frame.type) {
    case 'message.post':
      return post(asker, frame)
    case 'message.correct':
      return correct(asker, frame)
    case 'message.recall':
      return recall(asker, frame)
    case 'message.acknowledge':
      return acknowledge(asker, frame)
    case 'channel.subscribe':
      return subscribe(asker, frame)
    case 'channel.unsubscribe':
      unsubscribe(asker, frame)
      return undefined
    case 'receipt.mark':
      return mark(asker, frame)
    case 'typing.set':
      return setTyping(asker, frame)
    case 'presence.set':
      return setPresence(asker, frame)
    case 'session.renew':
      return renew(asker, frame)
    case 'session.activity':
      // That it came is all that it says (lock-watch.ts).
      return undefined
    case 'session.ping':
      asker.answered(encode({ type: 'done', replyTo: frame.id }))
      return undefined
  }
}
