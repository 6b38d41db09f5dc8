import fc from 'fast-check'
import { expect, it } from 'vitest'
import { timestamp } from './ids.ts'

it('a timestamp is every moment from the year 1000 to 9999, as JavaScript writes it', () => {
  const moment = fc.date({
    min: new Date('1000-01-01T00:00:00.000Z'),
    max: new Date('9999-12-31T23:59:59.999Z'),
    noInvalidDate: true,
  })
  fc.assert(
    fc.property(moment, (date) => {
      expect(timestamp.safeParse(date.toISOString()).success).toBe(true)
    }),
  )
})

it.each([
  '2026-02-30T00:00:00.000Z',
  '2026-13-01T00:00:00.000Z',
  '2026-01-01T24:00:00.000Z',
  '2026-01-01T00:00:60.000Z',
  '0000-01-01T00:00:00.000Z',
  '2026-01-01T00:00:00Z',
  '2026-01-01T00:00:00.000+00:00',
  '+010000-01-01T00:00:00.000Z',
])('%s is none', (text) => {
  expect(timestamp.safeParse(text).success).toBe(false)
})
