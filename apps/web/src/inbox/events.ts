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

/** A conversation after this person has read up to `seq`. Only at its end is it known that nothing is unread. */
function read(channel: ChannelSummary, seq: number): ChannelSummary {
  const upTo = Math.max(channel.read, seq)
  const all = upTo >= channel.head
  if (upTo === channel.read && (!all || (channel.unread === 0 && channel.urgent === 0))) return channel
  return { ...channel, read: upTo, unread: all ? 0 : channel.unread, urgent: all ? 0 : channel.urgent }
}

/** The list after this person has read one conversation up to `seq`; the server’s own count follows. */
export function withRead(channels: readonly ChannelSummary[], channel: string, seq: number): readonly ChannelSummary[] {
  return withAllRead(channels, new Map([[channel, seq]]))
}

/** The list with what this page has read: what the server said may have been on its way when that was. */
export function withAllRead(
  channels: readonly ChannelSummary[],
  readHere: ReadonlyMap<string, number>,
): readonly ChannelSummary[] {
  const changed = channels.map((each) => {
    const seq = readHere.get(each.id)
    return seq === undefined ? each : read(each, seq)
  })
  return changed.some((each, index) => each !== channels[index]) ? changed : channels
}

/** The list without a conversation that this person may no longer see. */
export function withoutChannel(channels: readonly ChannelSummary[], channel: string): readonly ChannelSummary[] {
  return channels.some((each) => each.id === channel) ? channels.filter((each) => each.id !== channel) : channels
}
