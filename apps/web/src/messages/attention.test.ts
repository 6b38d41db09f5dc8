import type { ChannelEvent } from '@wardline/protocol'
import { expect, test } from 'vitest'
import { attentionOf, mostPressing, NOTHING_WAITS } from './attention.ts'
import { append, emptyTimeline } from './timeline.ts'

const me = 'me'
const at = (seq: number) => `2026-11-22T03:00:0${seq}.000Z`

function posted(
  seq: number,
  priority: 'routine' | 'urgent' | 'stat',
  sender = 'okafor',
  ackRequired = true,
): ChannelEvent {
  const event = {
    type: 'message.posted' as const,
    message: `m${seq}`,
    sender,
    clientId: `c${seq}`,
    body: 'x',
    priority,
    intent: null,
    ackRequired,
    inReplyTo: null,
    mentions: [],
    attachments: [],
    to: [],
  }
  return { type: 'channel.event', channel: 'c', seq, at: at(seq), event }
}

function after(seq: number, event: ChannelEvent['event']): ChannelEvent {
  return { type: 'channel.event', channel: 'c', seq, at: at(seq), event }
}

test('only what asks for an acknowledgement, of others, waits', () => {
  const timeline = append(emptyTimeline(0), [
    posted(1, 'urgent', me),
    posted(2, 'urgent', 'okafor', false),
    posted(3, 'routine'),
  ])
  expect(attentionOf(timeline, me)).toEqual({ stat: 0, urgent: 0, routine: 1, since: at(3) })
})

test('the oldest of the heaviest says since when', () => {
  const timeline = append(emptyTimeline(0), [posted(1, 'urgent'), posted(2, 'stat'), posted(3, 'stat')])
  expect(attentionOf(timeline, me)).toEqual({ stat: 2, urgent: 1, routine: 0, since: at(2) })
  expect(mostPressing(timeline, me)?.id).toBe('m2')
})

test('my acknowledgement settles it, another’s does not, a recall does', () => {
  const posts = append(emptyTimeline(0), [posted(1, 'stat'), posted(2, 'urgent')])
  const theirs = append(posts, [after(3, { type: 'message.acknowledged', message: 'm1', by: 'vega', response: null })])
  expect(attentionOf(theirs, me).stat).toBe(1)
  const mine = append(theirs, [after(4, { type: 'message.acknowledged', message: 'm1', by: me, response: 'seen' })])
  expect(attentionOf(mine, me)).toMatchObject({ stat: 0, urgent: 1 })
  const recalled = append(mine, [
    after(5, { type: 'message.recalled', message: 'm2', by: 'okafor', reason: 'duplicate' }),
  ])
  expect(attentionOf(recalled, me)).toBe(NOTHING_WAITS)
  expect(mostPressing(recalled, me)).toBeNull()
})
