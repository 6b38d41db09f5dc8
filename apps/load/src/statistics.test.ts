import { expect, it } from 'vitest'
import { median, quantile, spread } from './statistics.ts'

it('median, quantile and spread of small samples', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 2, 3])).toBe(2.5)
  expect(median([])).toBeNaN()
  const hundred = Array.from({ length: 100 }, (_, i) => 100 - i)
  expect(quantile(hundred, 0.5)).toBe(50)
  expect(quantile(hundred, 0.99)).toBe(99)
  expect(quantile(hundred, 1)).toBe(100)
  expect(spread([90, 100, 110])).toBeCloseTo(0.1)
})
