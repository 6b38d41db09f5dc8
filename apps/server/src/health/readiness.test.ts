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
})
