import { amendmentOf, type PostedMessage, type Timeline } from './timeline.ts'

/** What in a conversation waits for one person: unacknowledged messages that ask for it, by weight. */
export interface Attention {
  readonly stat: number
  readonly urgent: number
  readonly routine: number
  /** When the oldest of the heaviest was posted, or null. */
  readonly since: string | null
}

export const NOTHING_WAITS: Attention = { stat: 0, urgent: 0, routine: 0, since: null }

/** Whether this message still waits for an answer from `me`. */
function awaits(timeline: Timeline, message: PostedMessage, me: string): boolean {
  if (!message.ackRequired || message.sender === me) return false
  const { recall, acknowledgements } = amendmentOf(timeline, message.id)
  return recall === null && !acknowledgements.some((each) => each.by === me)
}

/** All that waits in what this device holds of the conversation. */
export function attentionOf(timeline: Timeline, me: string): Attention {
  const counts = { stat: 0, urgent: 0, routine: 0 }
  const oldest: Partial<Record<keyof typeof counts, string>> = {}
  for (const item of timeline.items) {
    if (item.kind !== 'message' || !awaits(timeline, item, me)) continue
    counts[item.priority] += 1
    oldest[item.priority] ??= item.at
  }
  const since = oldest.stat ?? oldest.urgent ?? oldest.routine
  return since === undefined ? NOTHING_WAITS : { ...counts, since }
}

/** The newest message in the timeline that waits for `me`, heaviest first: what the key `a` acknowledges. */
export function mostPressing(timeline: Timeline, me: string): PostedMessage | null {
  const waiting = timeline.items.filter((item) => item.kind === 'message' && awaits(timeline, item, me))
  const messages = waiting.filter((item) => item.kind === 'message')
  return (
    messages.find((each) => each.priority === 'stat') ??
    messages.find((each) => each.priority === 'urgent') ??
    messages[0] ??
    null
  )
}
