import { describe, expect, it } from 'vitest'
import { manualClock } from '../clock.ts'
import { FamiliarNetworks } from './familiar-networks.ts'
import { Turns } from './turns.ts'

function setUp(isCrowded: (network: string) => boolean = () => false) {
  const familiar = new FamiliarNetworks(manualClock())
  let usage = { idle: 0, active: 0 }
  let asked: (() => void)[] = []
  const turns = new Turns(familiar, { usage: () => usage, later: (_ms, run) => void asked.push(run), isCrowded })
  const begun: string[] = []
  return {
    familiar,
    turns,
    begun,
    come: (network: string, name: string) => turns.await(network, () => void begun.push(name)),
    /** So much of the loop's time passes, and all look whether it is their turn. */
    pass(active: number, idle = 0) {
      usage = { active: usage.active + active, idle: usage.idle + idle }
      const now = asked
      asked = []
      for (const run of now) run()
    },
  }
}

describe('R-05 whose turn it is', () => {
  it('strangers wait while the loop is busy, and people who come back to a familiar network do not wait for them', () => {
    const { familiar, come, pass, begun } = setUp()
    familiar.note('hospital')
    for (const name of ['a', 'b', 'c']) come('hospital', name)
    for (const name of ['x', 'y']) come('elsewhere', name)
    pass(2)
    pass(2)
    pass(2)
    expect(begun).toEqual(['a', 'b', 'c'])
    pass(13)
    expect(begun).toEqual(['a', 'b', 'c'])
    pass(1)
    expect(begun).toEqual(['a', 'b', 'c', 'x'])
    pass(1, 1)
    expect(begun).toEqual(['a', 'b', 'c', 'x', 'y'])
  })

  it('the first of a crowd who is let in makes the others familiar, who wait already; who has left is not begun', () => {
    const { familiar, turns, come, pass, begun } = setUp()
    for (const name of ['a', 'b']) come('hospital', name)
    const gone = () => void begun.push('gone')
    turns.await('hospital', gone)
    come('hospital', 'c')
    pass(20)
    expect(begun).toEqual(['a'])
    familiar.note('hospital')
    turns.leaveOut('hospital', gone)
    expect(turns.waiting).toBe(2)
    pass(2)
    pass(2)
    expect(begun).toEqual(['a', 'b', 'c'])
    expect(turns.waiting).toBe(0)
  })

  it('a network of which many are on their way in rests like any other, though the loop has nothing to do', () => {
    let isCrowded = true
    const { familiar, come, pass, begun } = setUp((network) => network === 'hospital' && isCrowded)
    familiar.note('hospital')
    for (const name of ['a', 'b', 'c']) come('hospital', name)
    pass(0, 19)
    expect(begun).toEqual([])
    pass(0, 1)
    expect(begun).toEqual(['a'])
    pass(0, 10)
    expect(begun).toEqual(['a'])
    isCrowded = false
    pass(0, 1)
    pass(1, 1)
    expect(begun).toEqual(['a', 'b', 'c'])
  })
})

describe('familiar networks', () => {
  it('are those of a day, told once, and the longest ago goes where there are too many', () => {
    const clock = manualClock()
    const familiar = new FamiliarNetworks(clock)
    const told: string[] = []
    familiar.onNew((network) => void told.push(network))
    expect(familiar.has('a')).toBe(false)
    familiar.note('a')
    familiar.note('a')
    expect([familiar.has('a'), told]).toEqual([true, ['a']])
    clock.advance(86_400_000)
    expect(familiar.has('a')).toBe(false)
    familiar.note('a')
    expect(told).toEqual(['a', 'a'])
    for (let n = 0; n < 9_999; n += 1) familiar.note(`n${n}`)
    expect(familiar.has('a')).toBe(true)
    familiar.note('a')
    familiar.note('one more')
    expect([familiar.has('a'), familiar.has('n0'), familiar.has('n1')]).toEqual([true, false, true])
  })
})
