import { CLOSE_CODES } from '@wardline/protocol'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { jittered, nextStep } from './reconnect.ts'

const chance = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const attempt = fc.nat({ max: 2000 })
const codes = fc.constantFrom(...Object.keys(CLOSE_CODES).map(Number), 1000, 1005, 1006, 1015, 3999, 4999)

function step(code: number, more: Partial<Parameters<typeof nextStep>[0]> = {}, random = 0.5) {
  return nextStep({ code, attempt: 0, refusals: 0, drainingMs: null, ...more }, () => random)
}

describe('[R-84] coming back', () => {
  it('has full jitter: anything from nothing to a doubling pause, never over 30 s', () => {
    fc.assert(
      fc.property(attempt, chance, (n, random) => {
        const ms = jittered(n, () => random)
        expect(ms).toBeGreaterThanOrEqual(0)
        expect(ms).toBeLessThanOrEqual(Math.min(30_000, 1000 * 2 ** n))
      }),
    )
    expect(jittered(0, () => 0.999)).toBeGreaterThan(900)
    expect(jittered(20, () => 0.999)).toBeGreaterThan(29_000)
  })

  it('takes a bounded time, whatever the code, the attempt and the chance', () => {
    fc.assert(
      fc.property(codes, attempt, chance, fc.option(fc.nat({ max: 60_000 })), (code, n, random, drainingMs) => {
        const next = step(code, { attempt: n, refusals: 1, drainingMs }, random)
        if (next.do === 'stop') return
        expect(next.ms).toBeGreaterThanOrEqual(0)
        expect(next.ms).toBeLessThanOrEqual(120_000 + (drainingMs ?? 0))
      }),
    )
  })

  it.each([1003, 1007, 1009, 4400, 4403, 4409] as const)('is not done after %i, for the reason of its word', (code) => {
    expect(step(code)).toEqual({ do: 'stop', reason: CLOSE_CODES[code].reason })
  })

  it.each([1001, 1006, 1012, 4408, 4452, 4999])('is done after %i with the token that is there', (code) => {
    expect(step(code)).toEqual({ do: 'wait', ms: 500, refresh: false })
  })

  it('after 4440 takes a new token', () => {
    expect(step(4440)).toEqual({ do: 'wait', ms: 500, refresh: true })
  })

  it('after 4401 asks HTTPS once, and after another gives up', () => {
    expect(step(4401, { refusals: 1 })).toMatchObject({ do: 'wait', refresh: true })
    expect(step(4401, { refusals: 2 })).toEqual({ do: 'stop', reason: 'unauthenticated' })
  })

  it('is never at once after an overload, and later still after abuse', () => {
    for (const code of [1011, 1013]) expect(step(code, {}, 0)).toEqual({ do: 'wait', ms: 2000, refresh: false })
    expect(step(4429, {}, 0)).toEqual({ do: 'wait', ms: 30_000, refresh: false })
  })

  it('is not before the time that a draining server asks for', () => {
    fc.assert(
      fc.property(chance, fc.nat({ max: 60_000 }), (random, drainingMs) => {
        const next = step(1012, { drainingMs }, random)
        expect(next.do === 'wait' && next.ms >= drainingMs && next.ms <= drainingMs + 1000).toBe(true)
      }),
    )
  })
})
