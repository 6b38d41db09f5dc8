import type { ClientRequest } from '@wardline/protocol'
import type { KnownChannel } from '../channels/known-channels.ts'
import { Refusal } from '../errors.ts'
import type { Asker } from '../gateway/asker.ts'

type TypingSet = Extract<ClientRequest, { type: 'typing.set' }>

/** Says that one is writing, or no longer. Not answered, never stored. */
export function setTyping(asker: Asker, frame: TypingSet): Promise<void> | undefined {
  const known = asker.gateway.channels.peek(asker.tenant, frame.channel)
  if (known !== undefined) {
    setIn(asker, frame, known)
    return undefined
  }
  return asker.gateway.channels.load(asker.tenant, frame.channel).then((loaded) => {
    if (loaded === null) throw new Refusal('not-found', 'not-found')
    setIn(asker, frame, loaded)
  })
}

function setIn(asker: Asker, { channel, active }: TypingSet, { resource }: KnownChannel): void {
  asker.decide('typing.set', resource)
  asker.gateway.typing.set(asker.tenant, channel, asker.user, active)
}
