import fc from 'fast-check'
import { expect, it } from 'vitest'
import { Pace } from './pace.ts'

it('[R-51] in no span of time is more sent than the server allows', () => {
  const limits = { requestsPerSecond: 40, requestBurst: 20 }
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 400 }), { maxLength: 200 }), (pauses) => {
      let now = 0
      const pace = new Pace(limits, () => now)
      const sent: number[] = []
      for (const pause of pauses) {
        now += pause
        while (pace.waitMs() === 0) {
          pace.take()
          sent.push(now)
        }
      }
      for (const [first, from] of sent.entries()) {
        for (let last = first; last < sent.length; last += 1) {
          const allowed = limits.requestBurst + ((sent[last]! - from) / 1000) * limits.requestsPerSecond
          expect(last - first + 1).toBeLessThanOrEqual(Math.ceil(allowed))
        }
      }
    }),
    { numRuns: 50 },
  )
})

it('says how long to wait, and then one may go', () => {
  let now = 0
  const pace = new Pace({ requestsPerSecond: 10, requestBurst: 1 }, () => now)
  pace.take()
  const waitMs = pace.waitMs()
  expect(waitMs).toBeGreaterThan(100)
  expect(waitMs).toBeLessThanOrEqual(112)
  now += waitMs
  expect(pace.waitMs()).toBe(0)
})

it('a clock that is set back does not stop the flow', () => {
  let now = 1_000_000
  const pace = new Pace({ requestsPerSecond: 10, requestBurst: 1 }, () => now)
  pace.take()
  now = 0
  now += pace.waitMs()
  expect(pace.waitMs()).toBe(0)
})
