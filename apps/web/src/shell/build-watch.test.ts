import type { Fault } from '@wardline/client'
import { manualTime } from '@wardline/client/fake-server'
import { describe, expect, it } from 'vitest'
import { watchBuild } from './build-watch.ts'

/** A watch whose clock stands still; `answers` says what the server has, in the order it is asked. */
function watching(...answers: (string | null | undefined)[]) {
  const time = manualTime()
  const told: (string | null)[] = []
  const asked: number[] = []
  const startedAt = time.now()
  const answering = { before: () => {} }
  const runs = { live: () => {}, fault: (_fault: Fault) => {}, touched: () => {} }
  const stop = watchBuild(
    {
      onLive: (run) => {
        runs.live = run
        return () => undefined
      },
      onFault: (run) => {
        runs.fault = run
        return () => undefined
      },
      onTouched: (run) => {
        runs.touched = run
        return () => undefined
      },
      ask: async () => {
        asked.push(time.now() - startedAt)
        answering.before()
        return answers.shift()
      },
      now: time.now,
      random: () => 0.5,
      setTimer: time.setTimer,
    },
    (build) => told.push(build),
  )
  return { time, told, asked, answering, stop, ...runs }
}

describe('the build that the server has', () => {
  it('is asked for once the line is live, within half a minute and once for all that comes until then', async () => {
    const { time, told, asked, live } = watching('b', null)
    live()
    live()
    expect(asked).toEqual([])
    await time.advance(30_000)
    expect(asked).toEqual([15_000])
    live()
    await time.advance(30_000)
    expect(told).toEqual(['b', null])
  })

  it.each<Fault['kind']>(['unreadable-frame', 'unreadable-answer'])('is asked for after %s', async (kind) => {
    const { time, told, fault } = watching('b')
    fault({ kind, length: 1 } as Fault)
    await time.advance(30_000)
    expect(told).toEqual(['b'])
  })

  it('is not asked for after a fault of this page', async () => {
    const { time, asked, fault } = watching('b')
    fault({ kind: 'storage', error: null })
    await time.advance(30_000)
    expect(asked).toEqual([])
  })

  it('is asked for and told when the screen has not been touched for three seconds', async () => {
    const { time, told, asked, live, touched } = watching('b')
    live()
    await time.advance(14_000)
    for (let n = 0; n < 5; n += 1) {
      touched()
      await time.advance(2_000)
    }
    expect(asked).toEqual([])
    await time.advance(1_000)
    expect(asked).toEqual([25_000])
    expect(told).toEqual(['b'])
  })

  it('is asked for again where the screen was touched before the answer came', async () => {
    const { time, told, asked, live, touched, answering } = watching('b', 'c')
    answering.before = touched
    live()
    await time.advance(15_000)
    expect(told).toEqual([])
    answering.before = () => {}
    await time.advance(3_000)
    expect(asked).toEqual([15_000, 18_000])
    expect(told).toEqual(['c'])
  })

  it('is not told where it could not be asked for, and is asked for when the line is live the next time', async () => {
    const { time, told, live } = watching(undefined, 'b')
    live()
    await time.advance(30_000)
    expect(told).toEqual([])
    live()
    await time.advance(30_000)
    expect(told).toEqual(['b'])
  })

  it('is told to nobody who has stopped watching', async () => {
    const { time, told, live, stop } = watching('b')
    live()
    await time.advance(14_999)
    stop()
    expect(time.pending()).toBe(0)
    await time.advance(30_000)
    expect(told).toEqual([])
  })
})
