import type { ClientRequest } from '@wardline/protocol'
import type { Asker } from '../gateway/asker.ts'
import { encode } from '../gateway/frame.ts'

type PresenceSet = Extract<ClientRequest, { type: 'presence.set' }>

/** Says whether one can be reached, until when, and who covers. */
export function setPresence(asker: Asker, { id, status, cover, until }: PresenceSet): void {
  const { gateway, tenant, user } = asker
  asker.decide('presence.set', { kind: 'user', tenant, id: user })
  gateway.presence.set(tenant, user, asker.snapshot.channels, {
    status,
    cover: cover ?? null,
    until: until === undefined ? null : Date.parse(until),
  })
  asker.answered(encode({ type: 'done', replyTo: id }))
}
