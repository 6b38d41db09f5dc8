import { describe, expect, it } from 'vitest'
import { Health } from './health.ts'

const limits = { heartbeatMs: 15_000, idleMs: 600_000, laggingMs: 60_000 }

describe('R-07 health', () => {
  it('pings each heartbeat, and gives a silent peer up after two', () => {
    const health = new Health(limits, 0, 0)
    expect(health.takePing(14_999)).toBe(false)
    expect(health.takePing(15_000)).toBe(true)
    expect(health.takePing(15_001)).toBe(false)
    expect(health.verdict(29_999)).toBeNull()
    expect(health.verdict(30_000)).toEqual({ close: 4408, because: 'heartbeat' })
    health.heard(29_000)
    expect(health.verdict(58_999)).toBeNull()
  })

  it('is idle when nothing is asked, however lively the line', () => {
    const health = new Health(limits, 0, 0)
    for (let now = 0; now < 600_000; now += 10_000) health.heard(now)
    expect(health.verdict(600_000)).toEqual({ close: 4408, because: 'idle' })
    health.asked(599_999)
    expect(health.verdict(600_000)).toBeNull()
  })

  it('R-52 closes who has not caught up in time, and does not take their silence for death meanwhile', () => {
    const health = new Health(limits, 0, 0)
    expect(health.fellBehind(1_000)).toBe(true)
    expect(health.fellBehind(2_000)).toBe(false)
    expect(health.verdict(60_999)).toBeNull()
    expect(health.verdict(61_000)).toEqual({ close: 4452, because: 'slow-reader' })
    health.caughtUp(60_000)
    expect(health.verdict(61_000)).toBeNull()
    health.takePing(75_000)
    expect(health.verdict(89_999)).toBeNull()
    expect(health.verdict(90_000)).toMatchObject({ because: 'heartbeat' })
  })

  it('gives nobody up who was not asked: it was we who slept, or the clock was set', () => {
    const health = new Health(limits, 0, 0)
    health.takePing(15_000)
    health.heard(15_100)
    expect(health.verdict(600_000 - 1)).toBeNull()
    expect(health.next()).toBe(30_000)
    health.takePing(500_000)
    expect(health.verdict(514_999)).toBeNull()
    expect(health.verdict(515_000)).toEqual({ close: 4408, because: 'heartbeat' })
  })

  it('says when to look next', () => {
    const health = new Health(limits, 0, 1)
    expect(health.next()).toBe(7_500)
    health.takePing(7_500)
    expect(health.next()).toBe(22_500)
    health.fellBehind(8_000)
    health.takePing(60_000)
    expect(health.next()).toBe(68_000)
  })
})
