import { describe, expect, it } from 'vitest'
import { type AuditEvent, auditId, auditTime } from './event.ts'
import { isListOf, listTimes } from './patient-lists.ts'

const LIND = auditId('00000000-0000-4000-8000-000000000001')
const MOSS = auditId('00000000-0000-4000-8000-000000000002')

type Place = { readonly userId: string; readonly startsAt: Date; readonly endsAt: Date | null }

function timesOf(places: readonly (readonly [string, number, number | null])[], period = { from: 0, until: 1_000 }) {
  const rows = places.map(
    ([userId, from, until]): Place => ({
      userId,
      startsAt: new Date(from),
      endsAt: until === null ? null : new Date(until),
    }),
  )
  const readTenant = () => Promise.resolve(rows)
  return listTimes({ database: { readTenant } } as never, LIND, MOSS, period)
}

describe('R-73 when a patient was on somebody’s lists', () => {
  it('while they were on the care team, within what is asked for; in two roles at once only once', async () => {
    const times = await timesOf([
      [LIND, -50, 100],
      [LIND, 60, 200],
      [MOSS, 300, 300],
      [LIND, 400, null],
    ])
    expect([...times]).toEqual([
      [
        LIND,
        [
          { from: 0, until: 200 },
          { from: 400, until: 1_000 },
        ],
      ],
    ])
  })

  it('a list is what names neither a patient nor a channel, by one of them, then', async () => {
    const times = await timesOf([[LIND, 100, 200]])
    const event: AuditEvent = {
      v: 1,
      at: auditTime(150),
      tenant: LIND,
      action: 'channel.read',
      outcome: 'allowed',
      actor: LIND,
    }
    const is = (over: Partial<AuditEvent>, at = 150) => isListOf(times, { ...event, ...over }, at)
    expect([is({}), is({ action: 'patient.read' }), is({}, 100), is({}, 199)]).toEqual([true, true, true, true])
    expect([is({}, 99), is({}, 200), is({ actor: MOSS }), is({ outcome: 'refused' })]).not.toContain(true)
    expect([is({ channel: LIND }), is({ patient: LIND }), is({ action: 'directory.read' })]).not.toContain(true)
  })
})
