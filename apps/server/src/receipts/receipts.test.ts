import { describe, expect, it } from 'vitest'
import type { Bus, Hint } from '../bus/bus.ts'
import { manualClock } from '../clock.ts'
import { type CommitRequest, Committers } from '../gateway/committer.ts'
import { type Frame, payloadOf } from '../gateway/frame.ts'
import type { Hub } from '../gateway/hub.ts'
import type { Inboxes } from '../gateway/inboxes.ts'
import { createLogger } from '../log.ts'
import type { ReceiptItem } from '../storage/channel-event.ts'
import { Receipts } from './receipts.ts'

function setUp() {
  const clock = manualClock()
  const submitted: CommitRequest[] = []
  const told: unknown[] = []
  const hints: Hint[] = []
  const committers = new Committers(() => ({ submit: (request: CommitRequest) => submitted.push(request) }) as never)
  const reader = { tell: (frame: Frame) => told.push(JSON.parse(payloadOf(frame).toString())) }
  const receipts = new Receipts({
    clock,
    committers,
    hub: { isRead: () => true, readers: () => [reader] } as unknown as Hub,
    inboxes: { read: () => undefined } as unknown as Inboxes,
    bus: { publish: (hint: Hint) => hints.push(hint) } as unknown as Bus,
    log: createLogger('silent'),
  })
  return { clock, submitted, told, hints, receipts }
}

const mark = (delivered: number, read: number): ReceiptItem => ({
  kind: 'receipt',
  channelId: 'c',
  userId: 'u',
  delivered,
  read,
  audit: { action: 'receipt.mark', outcome: 'allowed', seq: read },
})

describe('R-44 receipts', () => {
  it('read goes at once; what was only delivered waits for more of its kind', () => {
    const { clock, submitted, receipts } = setUp()
    receipts.mark('t', mark(1, 0))
    receipts.mark('t', mark(3, 0))
    receipts.mark('t', mark(2, 0))
    expect(submitted).toEqual([])
    clock.advance(500)
    expect(submitted.map(({ item }) => item)).toMatchObject([{ delivered: 3, read: 0 }])
    submitted[0]?.settled({ verdict: 'moved', delivered: 3, read: 0 })
    receipts.mark('t', mark(4, 4))
    expect(submitted).toHaveLength(2)
  })

  it('the furthest of those that come while one is under way follows it', () => {
    const { submitted, told, hints, receipts } = setUp()
    receipts.mark('t', mark(1, 1))
    receipts.mark('t', mark(5, 2))
    receipts.mark('t', mark(2, 3))
    expect(submitted).toHaveLength(1)
    submitted[0]?.settled({ verdict: 'read', delivered: 1, read: 1 })
    expect(submitted[1]?.item).toMatchObject({ delivered: 5, read: 3, audit: { seq: 3 } })
    submitted[1]?.settled({ verdict: 'read', delivered: 5, read: 3 })
    expect(told).toEqual([
      { type: 'receipt.moved', channel: 'c', user: 'u', delivered: 1, read: 1 },
      { type: 'receipt.moved', channel: 'c', user: 'u', delivered: 5, read: 3 },
    ])
    expect(hints).toHaveLength(2)
  })

  it('nobody is told of what did not move or is not on disk', () => {
    const { submitted, told, receipts } = setUp()
    receipts.mark('t', mark(1, 1))
    submitted[0]?.settled({ verdict: 'same' })
    receipts.mark('t', mark(2, 2))
    submitted[1]?.failed(new Error('away'))
    receipts.mark('t', mark(3, 3))
    expect(submitted).toHaveLength(3)
    expect(told).toEqual([])
  })
})
