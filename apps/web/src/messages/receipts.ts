import type { Member, Receipt } from '@wardline/protocol'

/** How far a message has got with one person. */
export type Standing = 'sent' | 'delivered' | 'read'

export interface PersonStanding {
  readonly user: string
  readonly displayName: string
  readonly role: string | null
  readonly standing: Standing
}

/** How far the message at `seq` has got with one person, by their receipt. Nobody’s receipt says more than it knows. */
export function standingOf(receipt: Receipt | undefined, seq: number): Standing {
  if (receipt === undefined) return 'sent'
  if (receipt.read >= seq) return 'read'
  return receipt.delivered >= seq ? 'delivered' : 'sent'
}

/** Everybody but the sender, those who have got furthest first, then by name. */
export function standings(
  members: readonly Member[],
  receipts: ReadonlyMap<string, Receipt>,
  message: { readonly seq: number; readonly sender: string },
): readonly PersonStanding[] {
  const order: Record<Standing, number> = { read: 0, delivered: 1, sent: 2 }
  return members
    .filter((member) => member.user !== message.sender)
    .map(({ user, displayName, role }) => ({
      user,
      displayName,
      role,
      standing: standingOf(receipts.get(user), message.seq),
    }))
    .toSorted((a, b) => order[a.standing] - order[b.standing] || a.displayName.localeCompare(b.displayName))
}

/** The same in one line: which standing to name, and how many of how many have reached it. */
export interface ReceiptLine {
  readonly standing: Standing
  readonly count: number
  readonly of: number
}

/** `read` as soon as one has read; then `delivered`; else `sent`. `count` are those who have got at least as far. */
export function receiptLine(people: readonly PersonStanding[]): ReceiptLine {
  const read = people.filter((each) => each.standing === 'read').length
  if (read > 0) return { standing: 'read', count: read, of: people.length }
  const delivered = people.filter((each) => each.standing === 'delivered').length
  if (delivered > 0) return { standing: 'delivered', count: delivered, of: people.length }
  return { standing: 'sent', count: 0, of: people.length }
}
