import { describe, expect, test } from 'vitest'
import { manualClock } from '../clock.ts'
import { AddressRate } from './address-rate.ts'

describe('R-51: a rate per address', () => {
  test('a minute’s share at once, then one by one; nobody pays for another', () => {
    const clock = manualClock()
    const rate = new AddressRate(6, clock)
    expect(Array.from({ length: 7 }, () => rate.take('192.0.2.1'))).toEqual([0, 0, 0, 0, 0, 0, 10_000])
    expect(rate.take('192.0.2.2')).toBe(0)
    clock.advance(10_000)
    expect([rate.take('192.0.2.1'), rate.take('192.0.2.1')]).toEqual([0, 10_000])
    rate.close()
    expect(clock.pending).toBe(0)
  })

  test('an IPv6 network is one, and an IPv4 address is one however it is written', () => {
    const clock = manualClock()
    const rate = new AddressRate(1, clock)
    expect(rate.take('2001:db8:1:2::1')).toBe(0)
    expect(rate.take('2001:db8:1:2:ffff::9')).toBeGreaterThan(0)
    expect(rate.take('2001:db8:1:3::1')).toBe(0)
    expect(rate.take('::ffff:192.0.2.9')).toBe(0)
    expect(rate.take('192.0.2.9')).toBeGreaterThan(0)
  })
})
