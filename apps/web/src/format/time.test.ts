import { describe, expect, test } from 'vitest'
import { clock, clockSeconds, dayKey, dayWord, rowTime, shortDate, untilTime } from './time.ts'

const newYork = { zone: 'America/New_York', locale: 'en-GB' }
const kolkata = { zone: 'Asia/Kolkata', locale: 'en-GB' }
const now = Date.parse('2026-11-22T03:04:05.678Z')

describe('times in one stated zone', () => {
  test('a clock of 24 hours', () => {
    expect(clock('2026-11-22T03:04:05.678Z', newYork)).toBe('22:04')
    expect(clock('2026-11-22T05:04:05.678Z', newYork)).toBe('00:04')
    expect(clockSeconds('2026-11-22T03:04:05.678Z', kolkata)).toBe('08:34:05')
  })

  test('a day is the day of the zone, not of UTC', () => {
    expect(dayKey('2026-11-22T03:04:05.678Z', newYork)).toBe('2026-11-21')
    expect(dayKey('2026-11-22T03:04:05.678Z', kolkata)).toBe('2026-11-22')
  })

  test('today and yesterday are said to be so', () => {
    const today = dayWord('2026-11-21T20:00:00.000Z', now, newYork)
    expect(today.is).toBe('today')
    expect(today.date).toMatch(/^Saturday,? 21 November 2026$/)
    expect(dayWord('2026-11-21T04:00:00.000Z', now, newYork).is).toBe('yesterday')
    expect(dayWord('2026-11-19T04:00:00.000Z', now, newYork).is).toBe('other')
  })

  test('a row in the inbox is as short as it can be', () => {
    expect(rowTime('2026-11-22T01:00:00.000Z', now, newYork)).toBe('20:00')
    expect(rowTime('2026-11-19T15:00:00.000Z', now, newYork)).toBe('Thu')
    expect(rowTime('2026-10-19T15:00:00.000Z', now, newYork)).toBe('19-Oct-2026')
  })

  test('the end of an assignment says its date where that is not today', () => {
    expect(untilTime('2026-11-22T04:30:00.000Z', now, newYork)).toBe('23:30')
    expect(untilTime('2026-11-22T12:00:00.000Z', now, newYork)).toBe('22-Nov-2026 07:00')
    expect(shortDate('2026-11-22T12:00:00.000Z', newYork)).toBe('22-Nov-2026')
  })
})
