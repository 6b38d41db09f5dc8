import type { Member, Receipt } from '@wardline/protocol'
import type { Gateway } from '../gateway/gateway.ts'
import type { StoredChannel } from '../storage/gateway-reads.ts'

/** Who may see the channel now, as frames and answers say it. */
export function membersOf(stored: StoredChannel): Member[] {
  return stored.members.map((member) => ({ ...member, until: timeOf(member.until) }))
}

/** How far each person has got, as frames and answers say it. */
export function receiptsOf(stored: StoredChannel): Receipt[] {
  return stored.receipts.map((receipt) => ({ ...receipt, at: timeOf(receipt.at) }))
}

function timeOf(ms: number | null): string | null {
  return ms === null ? null : new Date(ms).toISOString()
}

/**
 * After the transaction that changed who belongs where: what the people concerned may do is read anew, on this node at once and on
 * the others by hints, and then its events go to who reads the channels. `version`: the user's new one. Losing all of it only costs
 * `pollMs`. When it resolves, nobody is served on this node by what held before.
 */
export async function announceMembership(
  { hub, inboxes, access, bus }: Pick<Gateway, 'hub' | 'inboxes' | 'access' | 'bus'>,
  tenant: string,
  changed: {
    readonly heads: Iterable<{ readonly channel: string; readonly seq: number }>
    readonly users: Iterable<{ readonly user: string; readonly version: number }>
  },
): Promise<void> {
  const users = [...changed.users]
  for (const { user, version } of users) {
    access.changed(tenant, user)
    bus.publish({ k: 'user', t: tenant, u: user, v: version })
  }
  await Promise.all(users.map(({ user }) => access.settled(tenant, user)))
  for (const { channel, seq } of changed.heads) {
    hub.learn(tenant, channel, seq)
    inboxes.learn(tenant, channel, seq)
    bus.publish({ k: 'channel', t: tenant, c: channel, head: seq })
  }
}
