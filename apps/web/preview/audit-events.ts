import { fakeId } from '@wardline/client/fake-server'
import type { AuditEventView } from '@wardline/protocol'
import { chen, lind, okafor, patientChannel, reyes, vega } from './world.ts'

const KINDS = [
  ['socket.connect', 'allowed', null, lind],
  ['socket.authenticate', 'allowed', null, lind],
  ['channel.subscribe', 'allowed', 'care-team', lind],
  ['message.post', 'allowed', 'care-team', okafor],
  ['channel.subscribe', 'refused', 'no-care-team', vega],
  ['message.acknowledge', 'allowed', 'care-team', lind],
  ['auth.login', 'failed', null, null],
  ['audit.read', 'allowed', 'role', chen],
  ['message.post', 'repeated', 'care-team', okafor],
  ['care-team.manage', 'allowed', 'role', reyes],
] as const

/** Invented audit events, newest first. */
export function auditEvents(count: number): AuditEventView[] {
  return Array.from({ length: count }, (_, index) => {
    const [action, outcome, reason, actor] = KINDS[index % KINDS.length] ?? KINDS[0]
    const about = action.startsWith('message') || action.startsWith('channel')
    return {
      writer: 'w1',
      seq: count - index,
      at: new Date(Date.now() - index * 7_300).toISOString(),
      action,
      outcome,
      reason,
      actor: actor === null ? null : { id: actor.id, displayName: actor.displayName },
      session: null,
      device: null,
      connection: actor === null ? null : `0${index % 3}f1c2d3-aaaa-4bbb-8ccc-00000000000${index % 3}`,
      address: actor === null ? '198.51.100.23' : '10.4.2.17',
      origin: 'https://wardline.test',
      resource: about
        ? { kind: action.startsWith('message') ? 'message' : 'channel', id: patientChannel(index % 5) }
        : null,
      patient: about ? fakeId(0xc1 + (index % 5)) : null,
      index: index < 2 ? null : count - index,
    }
  })
}
