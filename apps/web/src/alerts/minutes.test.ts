import { alertKind } from '@wardline/protocol'
import { expect, it } from 'vitest'
import { runbooks } from '../strings/runbooks.ts'
import { strings } from '../strings.ts'
import { minuteOf, timeOf } from './minutes.ts'
import { alertsSearch } from './search.ts'

it('minutes of the day come back as they were typed', () => {
  for (const minute of [0, 7 * 60 + 5, 1439]) expect(minuteOf(timeOf(minute))).toBe(minute)
  for (const wrong of ['', '24:00', '7:00', '12:60', 'noon']) expect(minuteOf(wrong)).toBeNull()
})

it('every kind of alert has a name and a runbook', () => {
  expect(Object.keys(strings.alerts.kinds).toSorted()).toEqual(alertKind.options.toSorted())
  for (const kind of alertKind.options) expect(runbooks[kind].steps.length, kind).toBeGreaterThan(0)
})

it('an address that says something else shows what is open', () => {
  expect([alertsSearch({ state: 'closed' }), alertsSearch({ state: 'x', more: 1 })]).toEqual([{ state: 'closed' }, {}])
})
