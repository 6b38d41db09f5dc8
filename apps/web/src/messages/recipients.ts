import type { Member, Priority, Receipt } from '@wardline/protocol'
import { type Presence, saidAt } from '../wardline/presence.tsx'
import { standingOf } from './receipts.ts'

/** Somebody whom a message would reach late, or not themselves. */
export interface Unreached {
  readonly user: string
  readonly name: string
  /** `behind`: nothing of theirs has received the latest message yet. */
  readonly why: 'busy' | 'off-duty' | 'behind'
  /** Who covers, by name. */
  readonly cover: string | null
}

export interface Recipients {
  readonly names: readonly string[]
  readonly unreached: readonly Unreached[]
}

interface Facts {
  readonly members: readonly Member[]
  readonly receipts: ReadonlyMap<string, Receipt>
  readonly presence: ReadonlyMap<string, Presence>
  readonly me: string
  /** The last sequence of the conversation. */
  readonly head: number
  readonly priority: Priority
  readonly now: number
}

/**
 * Whom a message goes to, and who of them will not see it soon: said before it is sent, when something else can still be done. That
 * somebody's devices are behind is told of what cannot wait alone: at night most are.
 */
export function recipientsOf({ members, receipts, presence, me, head, priority, now }: Facts): Recipients {
  const others = members.filter(({ user }) => user !== me)
  const unreached = others.flatMap(({ user, displayName }): Unreached[] => {
    const said = saidAt(presence.get(user), now)
    if (said !== null && said.status !== 'available') {
      const cover = members.find((each) => each.user === said.cover)?.displayName ?? null
      return [{ user, name: displayName, why: said.status, cover }]
    }
    const behind = priority !== 'routine' && head > 0 && standingOf(receipts.get(user), head) === 'sent'
    return behind ? [{ user, name: displayName, why: 'behind', cover: null }] : []
  })
  return { names: others.map(({ displayName }) => displayName), unreached }
}
