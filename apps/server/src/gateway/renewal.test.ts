import { describe, expect, it } from 'vitest'
import { Renewal } from './renewal.ts'

describe('R-17 renewal', () => {
  it('asks a minute before expiry, and ends after the grace', () => {
    const renewal = new Renewal(5_000, () => 0, 0, 300_000)
    expect(renewal.next()).toBe(240_000)
    expect(renewal.mustAsk(239_999)).toBe(false)
    expect(renewal.mustAsk(240_000)).toBe(true)
    expect(renewal.ask(240_000, 'nonce', 'expiry')).toEqual({
      type: 'session.renew-required',
      reason: 'expiry',
      nonce: 'nonce',
      before: new Date(300_000).toISOString(),
    })
    expect(renewal.mustAsk(250_000)).toBe(false)
    expect(renewal.next()).toBe(305_000)
    expect(renewal.isOver(304_999)).toBe(false)
    expect(renewal.isOver(305_000)).toBe(true)
  })

  it('asks in the last third of a short life', () => {
    expect(new Renewal(5_000, () => 0, 0, 60_000).next()).toBe(40_000)
  })

  it('spreads the asking, always before the last third', () => {
    expect(new Renewal(5_000, () => 1, 0, 300_000).next()).toBe(210_000)
  })

  it('takes a proof over each nonce once, and over the last two alone', () => {
    const renewal = new Renewal(5_000, () => 0, 0, 60_000)
    expect(renewal.takeNonce('first')).toBe(false)
    for (const nonce of ['first', 'second', 'third']) renewal.ask(40_000, nonce, 'role-change')
    expect(renewal.takeNonce('first')).toBe(false)
    expect(renewal.takeNonce('second')).toBe(true)
    expect(renewal.takeNonce('second')).toBe(false)
    renewal.renewed(42_000, 102_000)
    expect(renewal.isOver(65_000)).toBe(false)
    // It was on its way when the other was answered.
    expect(renewal.takeNonce('third')).toBe(true)
    expect(renewal.takeNonce('third')).toBe(false)
  })

  it('a pressing reason shortens the time, and asking again does not lengthen it', () => {
    const renewal = new Renewal(5_000, () => 0, 0, 300_000)
    expect(renewal.ask(10_000, 'a', 'role-change', 30_000).before).toBe(new Date(40_000).toISOString())
    expect(renewal.ask(20_000, 'b', 'expiry').before).toBe(new Date(40_000).toISOString())
    expect(renewal.isOver(45_000)).toBe(true)
  })
})
