import { describe, expect, test } from 'vitest'
import type { Assignment } from './actor.ts'
import { decide } from './decide.ts'
import { actorOf, subjects } from './matrix/world.ts'
import type { ChannelResource, PatientResource } from './resources.ts'
import { withoutStepUp } from './step-up.ts'

const patient = subjects.patient as PatientResource

/** What a nurse with these assignments, and emergency access until then, may see of the patient at `now`. */
function seen(now: number, assignments: readonly Assignment[], emergencyUntil?: number) {
  const nurse = {
    ...actorOf('nurse', 'stranger'),
    careTeam: new Map(assignments.length > 0 ? [[patient.id, assignments]] : []),
    emergencyAccess: new Map(emergencyUntil === undefined ? [] : [[patient.id, { until: emergencyUntil }]]),
  }
  return decide(nurse, 'patient.read', patient, { now, policy: withoutStepUp })
}

const allowed = (reason: string, until: number | null) => ({ allowed: true, reason, until })
const refused = (reason: string) => ({ allowed: false, code: 'not-found', reason })
const shift = (startsAt: number, endsAt: number | null): Assignment => ({ startsAt, endsAt })

describe('[R-31] how long a patient is in someone’s care', () => {
  test('from the first moment of the assignment until before its end', () => {
    expect(seen(9, [shift(10, 20)])).toEqual(refused('assignment-not-begun'))
    expect(seen(10, [shift(10, 20)])).toEqual(allowed('care-team', 20))
    expect(seen(19, [shift(10, 20)])).toEqual(allowed('care-team', 20))
    expect(seen(20, [shift(10, 20)])).toEqual(refused('assignment-ended'))
  })

  test('shifts that meet or overlap, in any order, are one stretch', () => {
    expect(seen(10, [shift(20, 30), shift(10, 20)])).toEqual(allowed('care-team', 30))
    expect(seen(10, [shift(25, 40), shift(15, 30), shift(10, 20)])).toEqual(allowed('care-team', 40))
    expect(seen(10, [shift(10, 20), shift(19, null)])).toEqual(allowed('care-team', null))
  })

  test('a gap of a millisecond is a gap', () => {
    expect(seen(10, [shift(10, 20), shift(21, 30)])).toEqual(allowed('care-team', 20))
    expect(seen(20, [shift(10, 20), shift(21, 30)])).toEqual(refused('assignment-not-begun'))
  })

  test('[R-36] emergency access lasts until before its end, and joins on to a shift', () => {
    expect(seen(10, [], 20)).toEqual(allowed('emergency-access', 20))
    expect(seen(20, [], 20)).toEqual(refused('emergency-access-ended'))
    expect(seen(10, [shift(15, 30)], 20)).toEqual(allowed('emergency-access', 30))
    expect(seen(10, [shift(5, 15)], 20)).toEqual(allowed('care-team', 20))
    expect(seen(15, [shift(5, 15)], 20)).toEqual(allowed('emergency-access', 20))
    expect(seen(20, [shift(20, 30)], 20)).toEqual(allowed('care-team', 30))
    expect(seen(20, [shift(20, 30)], 19)).toEqual(allowed('care-team', 30))
  })

  test('an assignment that ends before it begins, or has no readable times, gives nothing', () => {
    expect(seen(15, [shift(20, 10)])).toMatchObject({ allowed: false })
    expect(seen(15, [shift(Number.NaN, 20)])).toMatchObject({ allowed: false })
    expect(seen(15, [shift(10, Number.NaN)])).toMatchObject({ allowed: false })
    expect(seen(15, [], Number.NaN)).toMatchObject({ allowed: false })
  })

  test('a patient’s channel whose patient is not known is nobody’s', () => {
    const channel = { ...(subjects['patient-channel'] as ChannelResource), patient: null }
    const nurse = actorOf('nurse', 'member-on-team')
    expect(decide(nurse, 'channel.read', channel, { now: Date.now(), policy: withoutStepUp })).toEqual(
      refused('no-care-team'),
    )
  })
})

describe('broadcast lists', () => {
  test('are read by all their members and written by those who may broadcast', () => {
    const nurse = actorOf('nurse', 'member')
    const reader = {
      ...nurse,
      permissions: new Set([...nurse.permissions].filter((each) => each !== 'message.broadcast')),
    }
    const context = { now: Date.UTC(2027, 0), policy: withoutStepUp }
    const list = subjects.broadcast as ChannelResource
    expect(decide(reader, 'channel.read', list, context)).toMatchObject({ allowed: true })
    expect(decide(reader, 'message.post', list, context)).toMatchObject({ code: 'forbidden', reason: 'no-permission' })
    expect(decide(reader, 'message.post', subjects.group as ChannelResource, context)).toMatchObject({ allowed: true })
  })
})
