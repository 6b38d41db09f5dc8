import type { ChannelEvent } from '@wardline/protocol'
import { expect, test, vi } from 'vitest'
import { type ChannelSource, Conversation } from './conversation.ts'
import type { PostedMessage } from './timeline.ts'

function posted(seq: number, sender = 'okafor'): ChannelEvent {
  return {
    type: 'channel.event',
    channel: 'c',
    seq,
    at: '2026-11-22T03:00:00.000Z',
    event: {
      type: 'message.posted',
      message: `m${seq}`,
      sender,
      clientId: `c${seq}`,
      body: `text ${seq}`,
      priority: 'routine',
      intent: null,
      ackRequired: false,
      inReplyTo: null,
      mentions: [],
      attachments: [],
      to: [],
    },
  }
}

function fixture(after: number, head: number) {
  const on = {
    event: [] as ((event: ChannelEvent) => void)[],
    hole: [] as ((hole: { from: number; to: number }) => void)[],
    rewound: [] as ((rewound: { head: number }) => void)[],
  }
  const channel: ChannelSource = {
    open: vi.fn(),
    close: vi.fn(),
    on: (name: keyof typeof on, run: never) => {
      on[name].push(run)
      return () => undefined
    },
  }
  const history = vi.fn<(before: number, limit: number) => Promise<{ items: ChannelEvent[]; next: string | null }>>()
  const later: (() => void)[] = []
  const arrivals: PostedMessage[] = []
  const conversation = new Conversation(
    { channel, history, me: 'lind', later: (run) => later.push(run), onArrival: (message) => arrivals.push(message) },
    after,
    head,
  )
  return {
    conversation,
    channel,
    history,
    arrivals,
    emit: (event: ChannelEvent) => on.event.forEach((run) => run(event)),
    hole: (from: number, to: number) => on.hole.forEach((run) => run({ from, to })),
    rewound: (head: number) => on.rewound.forEach((run) => run({ head })),
    runLater: () => later.splice(0).forEach((run) => run()),
    seqs: () => conversation.state.timeline.items.map((each) => each.seq),
  }
}

test('events that come together are shown together, and are told once', () => {
  const { conversation, emit, runLater, seqs } = fixture(0, 0)
  const told = vi.fn()
  conversation.subscribe(told)
  emit(posted(1))
  emit(posted(2))
  expect(told).not.toHaveBeenCalled()
  runLater()
  expect(told).toHaveBeenCalledOnce()
  expect(seqs()).toEqual([1, 2])
})

test('my own message is there in the same turn', () => {
  const { emit, seqs, arrivals } = fixture(0, 0)
  emit(posted(1))
  emit(posted(2, 'lind'))
  expect(seqs()).toEqual([1, 2])
  expect(arrivals.map((each) => each.seq)).toEqual([1])
})

test('what was there at opening is not announced, what comes later is', () => {
  const { emit, runLater, arrivals } = fixture(3, 5)
  for (const seq of [4, 5, 6]) emit(posted(seq))
  runLater()
  expect(arrivals.map((each) => each.seq)).toEqual([6])
})

test('the past comes page by page, and not twice at once', async () => {
  const { conversation, history, emit, runLater, seqs } = fixture(4, 4)
  emit(posted(5))
  runLater()
  history.mockResolvedValueOnce({ items: [posted(3), posted(4)], next: '3' })
  const first = conversation.loadOlder()
  await conversation.loadOlder()
  await first
  expect(history).toHaveBeenCalledExactlyOnceWith(5, 100)
  history.mockResolvedValueOnce({ items: [posted(1), posted(2)], next: null })
  await conversation.loadOlder()
  expect(history).toHaveBeenLastCalledWith(3, 100)
  expect(seqs()).toEqual([1, 2, 3, 4, 5])
  await conversation.loadOlder()
  expect(history).toHaveBeenCalledTimes(2)
})

test('a page that fails says so and can be asked for again', async () => {
  const { conversation, history, seqs } = fixture(1, 1)
  const error = new Error('unreachable')
  history.mockRejectedValueOnce(error)
  await conversation.loadOlder()
  expect(conversation.state).toMatchObject({ older: 'failed', error })
  history.mockResolvedValueOnce({ items: [posted(1)], next: null })
  await conversation.loadOlder()
  expect(conversation.state).toMatchObject({ older: 'idle', error: null })
  expect(seqs()).toEqual([1])
})

test('a server that was put back takes what it no longer knows with it', () => {
  const { emit, rewound, seqs } = fixture(0, 0)
  emit(posted(1))
  emit(posted(2))
  rewound(1)
  expect(seqs()).toEqual([1])
})

test('a hole is shown after what came before it', () => {
  const { emit, hole, seqs, conversation } = fixture(0, 0)
  emit(posted(1))
  hole(2, 4)
  expect(seqs()).toEqual([1, 2])
  expect(conversation.state.timeline.head).toBe(4)
  conversation.close()
})
