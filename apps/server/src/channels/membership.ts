import { createHash, randomUUID } from 'node:crypto'
import type { By } from '../audit/by.ts'
import { auditId, auditRole } from '../audit/event.ts'
import type { EventItem } from '../storage/channel-event.ts'

/** Who came or went, in the channel's own sequence: those in it read that they are no longer among themselves. */
export type Membership = {
  readonly channelId: string
  readonly patientId: string | null
  readonly userId: string
  /** In which role somebody cares for the patient; null where members are members. */
  readonly role: string | null
  readonly by: By
}

/** `member.joined` or `member.left`, for `tx.append` in the transaction that makes it so. */
export function membershipEvent(type: 'member.joined' | 'member.left', membership: Membership): EventItem {
  const { channelId, patientId, userId, role, by } = membership
  const id = randomUUID()
  return {
    kind: 'event',
    channelId,
    id,
    type,
    actorId: by.actor,
    // Nobody asks for it twice: each is an event of its own.
    clientId: id,
    digest: createHash('sha256').update(id).digest(),
    messageId: null,
    attributes: type === 'member.joined' ? { user: userId, role } : { user: userId },
    body: null,
    audit: {
      ...by,
      action: type === 'member.joined' ? 'member.join' : 'member.leave',
      outcome: 'allowed',
      channel: auditId(channelId),
      user: auditId(userId),
      ...(patientId === null ? {} : { patient: auditId(patientId) }),
      ...(role === null ? {} : { role: auditRole(role) }),
    },
  }
}
