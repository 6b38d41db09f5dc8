import fc from 'fast-check'
import { expect, test } from 'vitest'
import { barsOf, selectionOf, timesOf } from './brush.ts'

const hour = 3_600_000
const from = '2026-11-22T00:00:00.000Z'
const histogram = {
  from,
  until: '2026-11-22T06:00:00.000Z',
  stepMs: hour,
  buckets: [
    { at: '2026-11-22T01:00:00.000Z', allowed: 90, refused: 5, failed: 5, repeated: 0 },
    { at: '2026-11-22T04:00:00.000Z', allowed: 25, refused: 0, failed: 0, repeated: 0 },
  ],
}

test('each stretch has its bar, also one in which nothing happened', () => {
  const bars = barsOf(histogram)
  expect(bars.map(({ total }) => total)).toEqual([0, 100, 0, 0, 25, 0])
  expect(bars[1]).toMatchObject({ refused: 10, height: 1, refusedHeight: 0.1 })
  expect(bars[4]?.height).toBe(0.5)
})

test('a selection comes back from its times as it was', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 120 }), fc.nat(200), fc.nat(200), (count, a, b) => {
      const first = a % count
      const last = Math.min(count - 1, first + (b % count))
      const grid = { from, stepMs: hour }
      expect(selectionOf(grid, count, timesOf(grid, count, [first, last]))).toEqual([first, last])
    }),
  )
})

test('times beyond the ends are the ends', () => {
  const times = { from: '2020-01-01T00:00:00.000Z', until: '2030-01-01T00:00:00.000Z' }
  expect(selectionOf(histogram, 6, times)).toEqual([0, 5])
  expect(selectionOf(histogram, 6, { until: '2020-01-01T00:00:00.000Z' })).toEqual([0, 0])
})
