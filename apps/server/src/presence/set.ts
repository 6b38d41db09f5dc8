import type { ClientRequest } from '@wardline/protocol'
import type { Asker } from '../gateway/asker.ts'
import { encode } from '../gateway/frame.ts'

type PresenceSet = Extract<ClientRequest, { type: 'presence.set' }>

/** Says whether one can be reached, until when, and who covers. */
export async function setPresence(asker: Asker, { id, status, cover, until }: PresenceSet): Promise<void> {
  const { gateway, tenant, user } = asker
  asker.decide('presence.set', { kind: 'user', tenant, id: user })
  await gateway.presence.set(tenant, user, {
    status,
    cover: cover ?? null,
    until: until === undefined ? null : Date.parse(until),
  })
  asker.answered(encode({ type: 'done', replyTo: id }))
}
