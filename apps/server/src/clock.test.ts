import { describe, expect, it } from 'vitest'
import { manualClock, systemClock } from './clock.ts'

describe('manual clock', () => {
  it('runs what falls due in order of time, each at its own time', () => {
    const clock = manualClock(1_000)
    const seen: [string, number][] = []
    clock.after(30, () => seen.push(['c', clock.now()]))
    clock.after(10, () => {
      seen.push(['a', clock.now()])
      clock.after(5, () => seen.push(['b', clock.now()]))
    })
    clock.advance(29)
    expect(seen).toEqual([
      ['a', 1_010],
      ['b', 1_015],
    ])
    clock.advance(1)
    expect(seen.at(-1)).toEqual(['c', 1_030])
    expect(clock.pending).toBe(0)
  })

  it('repeats until it is cancelled, also from within', () => {
    const clock = manualClock()
    let runs = 0
    const cancel = clock.every(10, () => {
      runs += 1
      if (runs === 3) cancel()
    })
    clock.advance(1_000)
    expect(runs).toBe(3)
  })

  it('does not run what was cancelled', () => {
    const clock = manualClock()
    let ran = false
    const cancel = clock.after(1, () => {
      ran = true
    })
    cancel()
    clock.advance(10)
    expect(ran).toBe(false)
  })
})

describe('system clock', () => {
  it('fires once, and not when cancelled', async () => {
    let cancelled = false
    systemClock.after(0, () => {
      cancelled = true
    })()
    await new Promise<void>((resolve) => systemClock.after(1, resolve))
    expect(cancelled).toBe(false)
    const start = systemClock.now()
    await new Promise<void>((resolve) => {
      const stop = systemClock.every(1, () => {
        stop()
        resolve()
      })
    })
    expect(systemClock.now()).toBeGreaterThanOrEqual(start)
  })
})
