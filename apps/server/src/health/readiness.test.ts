import { describe, expect, test } from 'vitest'
import { manualClock } from '../clock.ts'
import { Readiness } from './readiness.ts'

describe('readiness', () => {
  test('ready with its database, not while it drains', async () => {
    const readiness = new Readiness({ ping: () => Promise.resolve() }, manualClock())
    expect(await readiness.report()).toEqual({ ready: true, checks: { draining: 'ok', database: 'ok' } })
    readiness.drain()
    expect(await readiness.report()).toEqual({ ready: false, checks: { draining: 'failed', database: 'ok' } })
  })

  test('not ready without its database, whether that says no or nothing', async () => {
    const clock = manualClock()
    const refusing = new Readiness({ ping: () => Promise.reject(new Error('away')) }, clock)
    expect((await refusing.report()).checks).toMatchObject({ database: 'failed' })
    const silent = new Readiness({ ping: () => new Promise(() => undefined) }, clock).report()
    clock.advance(2_000)
    expect((await silent).ready).toBe(false)
    expect(clock.pending).toBe(0)
  })

  test('R-05 asks its database once for all who ask at once', async () => {
    const answers: (() => void)[] = []
    const readiness = new Readiness({ ping: () => new Promise((resolve) => answers.push(resolve)) }, manualClock())
    const reports = Array.from({ length: 100 }, () => readiness.report())
    expect(answers).toHaveLength(1)
    answers[0]?.()
    await reports[0]
    // Those who came while it was asked: what they are told is no older than their question.
    await expect.poll(() => answers.length).toBe(2)
    answers[1]?.()
    expect((await Promise.all(reports)).every(({ ready }) => ready)).toBe(true)
    expect(answers).toHaveLength(2)
  })
})
