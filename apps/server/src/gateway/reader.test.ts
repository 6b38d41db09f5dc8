import { withoutStepUp } from '@wardline/policy'
import { DEFAULT_LIMITS } from '@wardline/protocol'
import { describe, expect, it } from 'vitest'
import { manualClock } from '../clock.ts'
import type { Gateway } from './gateway.ts'
import { Health } from './health.ts'
import type { Line } from './line.ts'
import { Reader } from './reader.ts'

function setUp() {
  const clock = manualClock()
  const gateway = { clock, policy: withoutStepUp, config: { limits: DEFAULT_LIMITS } } as unknown as Gateway
  const line = { backlog: 0, pause: () => undefined, resume: () => undefined }
  const health = new Health(DEFAULT_LIMITS, clock.now(), 0)
  const reader = new Reader(gateway, line as unknown as Line, health, {} as never, () => undefined)
  const granted: (() => void)[] = []
  return {
    clock,
    health,
    reader,
    line,
    granted,
    ask: () => void reader.turn().then((ended) => granted.push(ended)),
    settle: async () => {
      for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
    },
  }
}

describe('R-52 reader', () => {
  it('of hundreds of subscriptions that come back at once, lets a few hold a page of the store, and the others after them', async () => {
    const { ask, granted, settle } = setUp()
    for (let each = 0; each < 500; each += 1) ask()
    await settle()
    expect(granted).toHaveLength(8)
    for (let each = 0; each < 500; each += 1) {
      expect(granted.length).toBeLessThanOrEqual(each + 8)
      granted[each]?.()
      await settle()
    }
    expect(granted).toHaveLength(500)
    for (let each = 0; each < 10; each += 1) ask()
    await settle()
    expect(granted).toHaveLength(508)
  })

  it('lets nobody read for whom the line has no room', async () => {
    const { reader, line, ask, granted, settle } = setUp()
    line.backlog = DEFAULT_LIMITS.bufferBytes
    ask()
    await settle()
    expect(granted).toEqual([])
    line.backlog = 0
    reader.written()
    await settle()
    expect(granted).toHaveLength(1)
  })

  it('closes as slow whoever stops reading with less than all of the buffer waiting, while a subscription waits for room', async () => {
    const { clock, health, reader, line, ask, granted, settle } = setUp()
    line.backlog = DEFAULT_LIMITS.bufferBytes * 0.75
    ask()
    await settle()
    clock.advance(DEFAULT_LIMITS.laggingMs)
    expect(health.verdict(clock.now())).toEqual({ close: 4452, because: 'slow-reader' })
    line.backlog = 0
    reader.written()
    await settle()
    expect(granted).toHaveLength(1)
    expect(health.behind).toBe(false)
  })
})
