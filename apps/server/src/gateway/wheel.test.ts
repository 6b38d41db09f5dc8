import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { manualClock } from '../clock.ts'
import { Wheel } from './wheel.ts'

const START = Date.UTC(2026, 0, 1)

/** A wheel that is turned by hand, after so many milliseconds. */
function byHand() {
  let now = START
  let turn = () => {}
  const wheel = new Wheel({
    now: () => now,
    after: () => () => undefined,
    every: (_ms, run) => {
      turn = run
      return () => undefined
    },
  })
  const pass = (ms: number): number => {
    now += ms
    turn()
    return now
  }
  return { wheel, pass }
}

/** Looks once and never again. */
function once(look: (now: number) => unknown) {
  return {
    due(now: number) {
      look(now)
      return null
    },
  }
}

describe('wheel', () => {
  it('looks at a deadline when it has come, at most a tick late', () => {
    const clock = manualClock(START)
    const wheel = new Wheel(clock)
    const looked: number[] = []
    wheel.add(
      once((now) => looked.push(now - START)),
      START + 5_000,
    )
    clock.advance(4_999)
    expect(looked).toEqual([])
    clock.advance(251)
    expect(looked).toHaveLength(1)
    expect(looked[0]).toBeGreaterThanOrEqual(5_000)
  })

  it('looks again when it is told to, sooner when something has come nearer, and never once removed', () => {
    const clock = manualClock(START)
    const wheel = new Wheel(clock)
    const looked: number[] = []
    const entry = wheel.add(
      {
        due: (now) => {
          looked.push(Math.floor((now - START) / 1_000))
          return now + 10_000
        },
      },
      START + 10_000,
    )
    entry.lookBy(START + 2_000)
    entry.lookBy(START + 8_000)
    clock.advance(3_000)
    expect(looked).toEqual([2])
    clock.advance(10_000)
    expect(looked).toEqual([2, 12])
    entry.remove()
    clock.advance(60_000)
    expect(looked).toEqual([2, 12])
  })

  it('has one timer for any number of sockets', () => {
    const clock = manualClock(START)
    const wheel = new Wheel(clock)
    for (let each = 0; each < 1_000; each += 1) wheel.add({ due: () => null }, START + each * 10)
    expect(clock.pending).toBe(1)
    wheel.close()
    expect(clock.pending).toBe(0)
  })

  it('after it has stood still, judges nobody before what has come meanwhile is read', () => {
    const { wheel, pass } = byHand()
    const looked: number[] = []
    wheel.add(
      once((at) => looked.push(at)),
      START + 1_000,
    )
    pass(60_000)
    expect(looked).toEqual([])
    pass(250)
    expect(looked).toEqual([START + 60_250])
  })

  it('looks again in the next turn at what names a time that has passed, however many slots a turn has behind it', () => {
    const pasts = fc.array(fc.integer({ min: 1, max: 10_000 }), { minLength: 1, maxLength: 30 })
    fc.assert(
      fc.property(
        pasts,
        fc.array(fc.integer({ min: 1, max: 3_000 }), { minLength: 1, maxLength: 20 }),
        (ages, jumps) => {
          const { wheel, pass } = byHand()
          const looks = ages.map(() => 0)
          for (const [place, age] of ages.entries()) {
            const due = (at: number): number => {
              looks[place] = (looks[place] ?? 0) + 1
              return at - age
            }
            wheel.add({ due }, START)
          }
          for (const jump of jumps) {
            const before = [...looks]
            pass(jump)
            pass(250)
            for (const [place, look] of looks.entries()) expect(look).toBeGreaterThan(before[place] ?? 0)
          }
        },
      ),
    )
  })

  it('is never early, nor later than a tick, whatever the deadlines and however far the clock jumps', () => {
    const steps = fc.array(fc.integer({ min: 1, max: 5_000_000 }), { minLength: 1, maxLength: 20 })
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20_000_000 }), { maxLength: 30 }), steps, (deadlines, jumps) => {
        const { wheel, pass } = byHand()
        const seen = new Map<number, number>()
        for (const [place, deadline] of deadlines.entries()) {
          wheel.add(
            once((at) => seen.set(place, at)),
            START + deadline,
          )
        }
        for (const jump of jumps) {
          pass(jump)
          // After a turn that came late nobody is judged before the next one.
          const now = pass(1)
          for (const [place, deadline] of deadlines.entries()) {
            if (now >= START + deadline + 500) expect(seen.has(place)).toBe(true)
            if (seen.has(place)) expect(seen.get(place)).toBeGreaterThanOrEqual(START + deadline)
          }
        }
      }),
    )
  })
})
