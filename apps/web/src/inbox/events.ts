import type { ChannelSummary, ServerFrameOf } from '@wardline/protocol'

type InboxChanged = ServerFrameOf<'inbox.changed'>

/**
 * The list with what an `inbox.changed` says in it; the same list if that is nothing new. Null: it is about a conversation
 * that the list does not hold, so the list must be fetched again.
 * @param at when the frame came, RFC 3339: it bears no time of its own
 */
export function withInboxChanged(
  channels: readonly ChannelSummary[],
  frame: InboxChanged,
  at: string,
): readonly ChannelSummary[] | null {
  const index = channels.findIndex((each) => each.id === frame.channel)
  const known = channels[index]
  if (known === undefined) return null
  const { head, unread, urgent } = frame
  if (known.head === head && known.unread === unread && known.urgent === urgent) return channels
  return channels.with(index, { ...known, head, unread, urgent, lastAt: head > known.head ? at : known.lastAt })
}

/** The list after this person has read a conversation up to `seq`; the server’s own count follows. */
export function withRead(channels: readonly ChannelSummary[], channel: string, seq: number): readonly ChannelSummary[] {
  const index = channels.findIndex((each) => each.id === channel)
  const known = channels[index]
  if (known === undefined || known.read >= seq) return channels
  const all = seq >= known.head
  return channels.with(index, {
    ...known,
    read: seq,
    unread: all ? 0 : known.unread,
    urgent: all ? 0 : known.urgent,
  })
}

/** The list without a conversation that this person may no longer see. */
export function withoutChannel(channels: readonly ChannelSummary[], channel: string): readonly ChannelSummary[] {
  return channels.some((each) => each.id === channel) ? channels.filter((each) => each.id !== channel) : channels
}
