import { expect, test } from 'vitest'
import { typedTime, whenOf } from './assignment-time.ts'

const at = (minutes: number) => new Date(minutes * 60_000).toISOString()

test('an assignment is in force from its beginning up to, not including, its end', () => {
  const shift = { startsAt: at(10), endsAt: at(20) }
  expect(whenOf(shift, 9 * 60_000)).toBe('coming')
  expect(whenOf(shift, 10 * 60_000)).toBe('now')
  expect(whenOf(shift, 20 * 60_000)).toBe('past')
  expect(whenOf({ startsAt: at(10), endsAt: null }, 1e12)).toBe('now')
})

test('one that was ended before it began is past', () => {
  expect(whenOf({ startsAt: at(10), endsAt: at(10) }, 10 * 60_000)).toBe('past')
})

test('what was typed is a time of this device’s zone, or nothing', () => {
  expect(typedTime('2026-11-29T19:00')).toBe(new Date(2026, 10, 29, 19).toISOString())
  expect(typedTime('')).toBeNull()
  expect(typedTime('soon')).toBeNull()
})
