import { describe, expect, it } from 'vitest'
import { manualClock } from '../clock.ts'
import { Addresses } from './addresses.ts'

const limits = {
  unknownConnectionsPerAddress: 3,
  handshakesPerMinute: 6,
  callsPerMinute: 4,
  faultsPerMinute: 2,
  holdOffMs: 30_000,
}

function setUp() {
  const clock = manualClock()
  const held: string[] = []
  return { clock, held, addresses: new Addresses(limits, clock, (ip) => void held.push(ip)) }
}

const settledOf = (connected: ReturnType<Addresses['connect']>) => {
  if ('refused' in connected) throw new Error(connected.refused)
  return connected.settled
}

describe('R-05 Addresses', () => {
  it('lets so many connections of strangers stand, and counts those that are settled no more, once each', () => {
    const { addresses } = setUp()
    const [first] = [1, 2, 3].map(() => settledOf(addresses.connect('10.0.0.1')))
    expect(addresses.connect('10.0.0.1')).toMatchObject({ refused: 'connections' })
    expect(addresses.connect('10.0.0.2')).not.toHaveProperty('refused')
    first?.()
    first?.()
    settledOf(addresses.connect('10.0.0.1'))
    expect(addresses.connect('10.0.0.1')).toMatchObject({ refused: 'connections' })
  })

  it('an IPv6 host is its /64, and an IPv4 address written as IPv6 is itself', () => {
    const { addresses } = setUp()
    for (const ip of ['2001:db8::1', '2001:db8::2', '2001:db8:0:0:ffff::3']) settledOf(addresses.connect(ip))
    expect(addresses.connect('2001:db8::9')).toMatchObject({ refused: 'connections' })
    expect(addresses.connect('2001:db8:0:1::9')).not.toHaveProperty('refused')
    for (const ip of ['::ffff:10.0.0.1', '10.0.0.1', '::ffff:10.0.0.1']) settledOf(addresses.connect(ip))
    expect(addresses.connect('10.0.0.1')).toMatchObject({ refused: 'connections' })
  })

  it('connections come no faster than they may, however soon they go', () => {
    const { addresses, clock } = setUp()
    for (let each = 0; each < 6; each += 1) settledOf(addresses.connect('10.0.0.1'))()
    expect(addresses.connect('10.0.0.1')).toEqual({ refused: 'connections', retryAfterMs: 10_000 })
    clock.advance(10_000)
    settledOf(addresses.connect('10.0.0.1'))
  })

  it('calls of somebody who is signed in do not count', () => {
    const { addresses } = setUp()
    for (let each = 0; each < 20; each += 1) {
      expect(addresses.call('10.0.0.1')).toBe(0)
      addresses.knownCaller('10.0.0.1')
    }
    for (let each = 0; each < 4; each += 1) expect(addresses.call('10.0.0.1')).toBe(0)
    expect(addresses.call('10.0.0.1')).toBe(15_000)
  })

  it('R-51 an address that does wrong again and again is held off for a while, which is told once', () => {
    const { addresses, clock, held } = setUp()
    for (let each = 0; each < 10; each += 1) addresses.fault('10.0.0.1')
    expect(held).toEqual(['10.0.0.1'])
    expect(addresses.connect('10.0.0.1')).toEqual({ refused: 'held-off', retryAfterMs: 30_000 })
    expect(addresses.call('10.0.0.1')).toBe(30_000)
    expect(addresses.heldFor('10.0.0.2')).toBe(0)
    clock.advance(30_000)
    expect(addresses.heldFor('10.0.0.1')).toBe(0)
    settledOf(addresses.connect('10.0.0.1'))
  })

  it('what is as good as new is forgotten, and what is not is kept', () => {
    const { addresses, clock } = setUp()
    const settled = settledOf(addresses.connect('10.0.0.1'))
    for (const _ of [1, 2]) settledOf(addresses.connect('10.0.0.1'))
    clock.advance(120_000)
    expect(addresses.connect('10.0.0.1'), 'they still stand').toMatchObject({ refused: 'connections' })
    settled()
    clock.advance(120_000)
    settledOf(addresses.connect('10.0.0.1'))
    addresses.close()
    expect(clock.pending).toBe(0)
  })

  it('a hundred thousand addresses are the most that are remembered: those beyond share one place', () => {
    const { addresses } = setUp()
    for (let each = 0; each <= 100_000; each += 1) addresses.call(`10.${each >> 16}.${(each >> 8) & 255}.${each & 255}`)
    for (const ip of ['11.0.0.1', '11.0.0.2', '11.0.0.3', '11.0.0.4']) expect(addresses.call(ip)).toBe(0)
    expect(addresses.call('11.0.0.5')).toBeGreaterThan(0)
  })
})
