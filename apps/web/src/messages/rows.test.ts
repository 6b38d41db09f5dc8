import type { Post } from '@wardline/client'
import { expect, test } from 'vitest'
import { beginning, countUpTo, enoughToBegin, firstUnread, rowKey, rowsOf, startsDay, startsGroup } from './rows.ts'
import { emptyTimeline, type PostedMessage, type Timeline } from './timeline.ts'

function message(seq: number, sender: string, at: string, rest: Partial<PostedMessage> = {}): PostedMessage {
  return {
    kind: 'message',
    seq,
    at,
    id: `m${seq}`,
    sender,
    clientId: `c${seq}`,
    body: '',
    priority: 'routine',
    intent: null,
    ackRequired: false,
    inReplyTo: null,
    ...rest,
  }
}

const noon = (minute: number) => `2026-11-22T12:${String(minute).padStart(2, '0')}:00.000Z`
const holding = (...items: PostedMessage[]): Timeline => ({ ...emptyTimeline(0), items, head: items.at(-1)?.seq ?? 0 })
const unsent = (clientId: string): Post => ({
  clientId,
  channel: 'c',
  draft: { body: 'x' },
  queuedAt: Date.parse(noon(20)),
  state: { is: 'sending' },
})

test('a post is shown until its event is there, under one name', () => {
  const before = rowsOf(holding(message(1, 'okafor', noon(0))), [unsent('c2')], 'lind')
  const after = rowsOf(holding(message(1, 'okafor', noon(0)), message(2, 'lind', noon(1))), [unsent('c2')], 'lind')
  expect(before.map(rowKey)).toEqual(['c1', 'c2'])
  expect(after.map(rowKey)).toEqual(['c1', 'c2'])
  expect(after[1]?.is).toBe('item')
})

test('lines keep their identity, so that only what changed is drawn again', () => {
  const timeline = holding(message(1, 'okafor', noon(0)))
  expect(rowsOf(timeline, [], 'lind')[0]).toBe(rowsOf(timeline, [], 'lind')[0])
})

test('a sender is named at a change, after a pause, and always where it is weighty', () => {
  const [a, b, c, d, e] = rowsOf(
    holding(
      message(1, 'okafor', noon(0)),
      message(2, 'okafor', noon(4)),
      message(3, 'okafor', noon(10)),
      message(4, 'vega', noon(11)),
      message(5, 'vega', noon(12), { priority: 'urgent' }),
    ),
    [],
    'lind',
  )
  expect([startsGroup(a!, undefined, 'lind'), startsGroup(b!, a, 'lind'), startsGroup(c!, b, 'lind')]).toEqual([
    true,
    false,
    true,
  ])
  expect([startsGroup(d!, c, 'lind'), startsGroup(e!, d, 'lind')]).toEqual([true, true])
})

test('another day gets its separator', () => {
  const [a, b] = rowsOf(
    holding(message(1, 'okafor', '2026-11-20T12:00:00.000Z'), message(2, 'okafor', noon(0))),
    [],
    'lind',
  )
  expect([startsDay(a!, undefined), startsDay(b!, a), startsDay(b!, b)]).toEqual([true, true, false])
})

test('the unread line stands before the first message of somebody else that was there at opening', () => {
  const timeline = holding(message(1, 'okafor', noon(0)), message(2, 'lind', noon(1)), message(3, 'okafor', noon(2)))
  expect(firstUnread(timeline, { read: 1, head: 3 }, 'lind')).toBe(3)
  expect(firstUnread(timeline, { read: 3, head: 3 }, 'lind')).toBeNull()
  expect(firstUnread(timeline, { read: 2, head: 2 }, 'lind')).toBeNull()
})

test('a list begins at its unread line with something above it, or at its end', () => {
  const many = (count: number, from = 1) =>
    Array.from({ length: count }, (_, index) => message(from + index, 'okafor', noon(0)))
  const part = { ...holding(...many(100, 900)), complete: false }
  expect(enoughToBegin(part, null)).toBe(true)
  expect(enoughToBegin(part, 905)).toBe(false)
  expect(enoughToBegin(part, 950)).toBe(true)
  expect(enoughToBegin({ ...part, complete: true }, 905)).toBe(true)
  expect(enoughToBegin({ ...holding(...many(9)), complete: false }, null)).toBe(false)
  expect(enoughToBegin({ ...holding(...many(600)), complete: false }, 1)).toBe(true)
  const rows = rowsOf(part, [], 'lind')
  expect(beginning(rows, null, false)).toBeNull()
  expect(beginning(rows, 950, false)).toBe(50)
  expect(beginning(rows, 900, false)).toBe(20)
  expect(beginning(rows, 900, true)).toBe(0)
})

test('what a page of the past put on top is counted', () => {
  const rows = rowsOf(
    holding(message(2, 'a', noon(0)), message(4, 'a', noon(1)), message(6, 'a', noon(2))),
    [unsent('x')],
    'lind',
  )
  expect([countUpTo(rows, 0), countUpTo(rows, 4), countUpTo(rows, 9)]).toEqual([0, 2, 3])
})
