import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SequenceGate } from './sequence-gate.ts'

describe('[P3] the gate of a channel', () => {
  it('lets pass ascending sequences alone, each once, whatever comes', () => {
    fc.assert(
      fc.property(fc.nat({ max: 5 }), fc.array(fc.integer({ min: 1, max: 12 })), (after, arrivals) => {
        const gate = new SequenceGate(after)
        const passed: number[] = []
        for (const seq of arrivals) {
          const { is } = gate.event(seq)
          if (is === 'deliver' || is === 'hole') passed.push(seq)
        }
        expect(passed).toEqual([...new Set(passed)].toSorted((a, b) => a - b))
        for (const seq of passed) expect(seq).toBeGreaterThan(after)
      }),
    )
  })

  it('names every sequence that it passes over', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 12 })), (arrivals) => {
        const gate = new SequenceGate(0)
        const accounted: number[] = []
        for (const seq of arrivals) {
          const verdict = gate.event(seq)
          if (verdict.is === 'hole') for (let n = verdict.hole.from; n <= verdict.hole.to; n += 1) accounted.push(n)
          if (verdict.is === 'deliver' || verdict.is === 'hole') accounted.push(seq)
        }
        expect(accounted).toEqual(accounted.map((_, i) => i + 1))
      }),
    )
  })

  it('asks twice before it believes that something does not exist', () => {
    const gate = new SequenceGate(4)
    expect(gate.event(7)).toEqual({ is: 'gap', sightings: 1 })
    expect(gate.event(7)).toEqual({ is: 'gap', sightings: 2 })
    expect(gate.event(7)).toEqual({ is: 'hole', hole: { from: 5, to: 6 } })
    expect(gate.last).toBe(7)
    expect(gate.event(8)).toEqual({ is: 'deliver' })
  })

  it('starts to count anew when the answer is another', () => {
    const gate = new SequenceGate(0)
    gate.event(3)
    gate.event(3)
    expect(gate.event(1)).toEqual({ is: 'deliver' })
    expect(gate.event(3)).toEqual({ is: 'gap', sightings: 1 })
  })

  it('notices a missing end', () => {
    const gate = new SequenceGate(2)
    expect(gate.upTo(2)).toEqual({ is: 'repeat' })
    expect(gate.upTo(3)).toEqual({ is: 'gap', sightings: 1 })
    expect(gate.event(3)).toEqual({ is: 'deliver' })
  })
})
