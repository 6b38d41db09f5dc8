import { expect, it } from 'vitest'
import { ServerClock } from './server-clock.ts'

const LOCAL = Date.UTC(2026, 10, 22, 3)

function clockAt(local = LOCAL) {
  return new ServerClock(() => local)
}

function header(ms: number): string {
  return new Date(ms).toUTCString()
}

it('a Date header that agrees within two seconds changes nothing', () => {
  const clock = clockAt()
  expect(clock.observeDateHeader(header(LOCAL))).toBe(false)
  expect(clock.observeDateHeader(header(LOCAL - 2_000))).toBe(false)
  expect(clock.now()).toBe(LOCAL)
})

it('a Date header that does not agree corrects the clock, and says so once', () => {
  const clock = clockAt()
  expect(clock.observeDateHeader(header(LOCAL - 600_000))).toBe(true)
  expect(clock.observeDateHeader(header(LOCAL - 600_000))).toBe(false)
  expect(clock.now()).toBe(LOCAL - 600_000 + 500)
})

it('the time of a challenge is taken to the millisecond', () => {
  const clock = clockAt()
  clock.observe(LOCAL + 1_234)
  expect(clock.now()).toBe(LOCAL + 1_234)
  expect(clock.until(LOCAL + 2_234)).toBe(1_000)
})

it.each([null, '', 'yesterday'])('%j is no time', (value) => {
  const clock = clockAt()
  expect(clock.observeDateHeader(value)).toBe(false)
  clock.observe(Number.NaN)
  expect(clock.now()).toBe(LOCAL)
})
