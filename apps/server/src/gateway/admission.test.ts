import { describe, expect, it } from 'vitest'
import { manualClock } from '../clock.ts'
import { Admission, networkOf } from './admission.ts'

const limits = { pendingSocketsPerAddress: 2, pendingSockets: 3, connectionsPerMinute: 4 }

function admit(admission: Admission, address: string, giveWay = () => undefined as void) {
  const entered = admission.enter(address, giveWay)
  if (!entered.admitted) throw new Error(entered.because)
  return entered.settled
}

describe('R-05 admission', () => {
  it('bounds sockets of strangers per address and in all, until they settle', () => {
    const admission = new Admission(limits, manualClock())
    const settled = admit(admission, '192.0.2.1')
    admit(admission, '192.0.2.1')
    expect(admission.enter('192.0.2.1', () => undefined)).toMatchObject({ because: 'pending-sockets' })
    settled()
    settled()
    expect(admission.pending).toBe(1)
    for (const address of ['192.0.2.1', '192.0.2.2']) admit(admission, address)
    expect(admission.enter('192.0.2.2', () => undefined)).toMatchObject({ because: 'overloaded' })
  })

  it('when all places are taken, the oldest of who has most gives way to who has fewer; where all have as many, nobody does', () => {
    const admission = new Admission(limits, manualClock())
    const gone: string[] = []
    const enter = (address: string, name: string) => admit(admission, address, () => void gone.push(name))
    const oldest = enter('192.0.2.1', 'oldest')
    enter('192.0.2.1', 'second')
    enter('192.0.2.2', 'other')
    enter('192.0.2.3', 'new')
    expect(gone).toEqual(['oldest'])
    oldest()
    expect(admission.pending).toBe(3)
    expect(admission.enter('192.0.2.4', () => undefined)).toMatchObject({ because: 'overloaded' })
    expect(gone).toEqual(['oldest'])
    // And there is room for it at its address again, once somebody has left.
    expect(admission.enter('192.0.2.1', () => undefined)).toMatchObject({ because: 'overloaded' })
  })

  it('bounds attempts per address, the refused ones included', () => {
    const clock = manualClock()
    const admission = new Admission(limits, clock)
    for (let each = 0; each < 4; each += 1) admit(admission, '192.0.2.1')()
    expect(admission.enter('192.0.2.1', () => undefined)).toEqual({
      admitted: false,
      because: 'connections',
      retryAfterMs: 15_000,
    })
    admit(admission, '192.0.2.2')()
    clock.advance(15_000)
    admit(admission, '192.0.2.1')()
  })

  it('forgets addresses that are as good as new, and leaves no timer behind', () => {
    const clock = manualClock()
    const admission = new Admission({ ...limits, connectionsPerMinute: 1 }, clock)
    admit(admission, '192.0.2.1')()
    expect(admission.enter('192.0.2.1', () => undefined)).toMatchObject({ because: 'connections' })
    clock.advance(120_000)
    admit(admission, '192.0.2.1')()
    admission.close()
    expect(clock.pending).toBe(0)
  })

  it.each([
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::9', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::1:2:3:4:5:6:7', '0:1:2:3::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
  ])('%s counts as %s', (address, network) => {
    expect(networkOf(address)).toBe(network)
  })
})
