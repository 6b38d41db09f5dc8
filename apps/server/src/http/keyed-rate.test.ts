import { describe, expect, test } from 'vitest'
import { manualClock } from '../clock.ts'
import { KeyedRate, perMinute } from './keyed-rate.ts'

describe('R-51: a rate for each key', () => {
  test('a minute’s share at once, then one by one; nobody pays for another', () => {
    const clock = manualClock()
    const rate = new KeyedRate(perMinute(6), clock)
    expect(Array.from({ length: 7 }, () => rate.take('192.0.2.1'))).toEqual([0, 0, 0, 0, 0, 0, 10_000])
    expect(rate.take('192.0.2.2')).toBe(0)
    clock.advance(10_000)
    expect([rate.take('192.0.2.1'), rate.take('192.0.2.1')]).toEqual([0, 10_000])
    rate.close()
    expect(clock.pending).toBe(0)
  })

  test('keys are forgotten when they are as good as new, and no sooner', () => {
    const clock = manualClock()
    const rate = new KeyedRate({ perSecond: 0.001, burst: 1 }, clock)
    expect(rate.take('a')).toBe(0)
    clock.advance(60_000)
    expect(rate.take('a')).toBeGreaterThan(0)
    clock.advance(1_020_000)
    expect(rate.take('a')).toBe(0)
  })
})
