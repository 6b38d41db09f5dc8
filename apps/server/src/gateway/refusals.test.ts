import { describe, expect, it } from 'vitest'
import { type AuditFact, auditAddress, auditId } from '../audit/event.ts'
import { manualClock } from '../clock.ts'
import { Refusal } from '../errors.ts'
import { Refusals, refusalFact } from './refusals.ts'

const channel = auditId('3f2504e0-4f89-41d3-9a0c-0305e82c3301')
const denied: AuditFact = { action: 'channel.subscribe', outcome: 'refused', reason: 'no-care-team', channel }

describe('R-70 refusals', () => {
  it('are written one by one, then summed up, as what all of them have in common', () => {
    const clock = manualClock()
    const written: AuditFact[] = []
    const refusals = new Refusals(clock, (fact) => written.push(fact))
    const other = auditId('3f2504e0-4f89-41d3-9a0c-0305e82c3302')
    const address = auditAddress('192.0.2.1')
    for (let each = 0; each < 999; each += 1) refusals.note({ ...denied, address })
    expect(written).toEqual(Array.from({ length: 5 }, () => ({ ...denied, address })))
    refusals.note({ ...denied, address, channel: other })
    clock.advance(60_000)
    refusals.flush(false)
    const { channel: _, ...common } = denied
    expect(written.slice(5)).toEqual([{ ...common, address, count: 995 }])
    refusals.note(denied)
    expect(written).toHaveLength(7)
  })

  it('R-73 are counted for each patient that they are about: none is lost in a number that names nobody', () => {
    const written: AuditFact[] = []
    const refusals = new Refusals(manualClock(), (fact) => written.push(fact))
    const patientOf = (n: number) => auditId(`3f2504e0-4f89-41d3-9a0c-${n.toString().padStart(12, '0')}`)
    for (let each = 0; each < 16; each += 1) refusals.note({ ...denied, patient: patientOf(each % 2) })
    refusals.flush(true)
    expect(written.filter(({ patient }) => patient === patientOf(1)).map(({ count = 1 }) => count)).toEqual([
      ...[1, 1, 1, 1, 1],
      3,
    ])
    // Of very many they are counted together: who is refused does not fill the log.
    for (let each = 0; each < 10_000; each += 1) refusals.note({ ...denied, patient: patientOf(each) })
    expect(written.length).toBeLessThan(200)
  })

  it('of another kind are counted by themselves, and none is lost at the end', () => {
    const written: AuditFact[] = []
    const refusals = new Refusals(manualClock(), (fact) => written.push(fact))
    for (let each = 0; each < 7; each += 1) refusals.note(denied)
    refusals.note({ ...denied, reason: 'scope' })
    expect(written).toHaveLength(6)
    refusals.flush(true)
    expect(written.at(-1)).toMatchObject({ reason: 'no-care-team', count: 2 })
    refusals.flush(true)
    expect(written).toHaveLength(7)
  })

  it.each([
    ['message.post', new Refusal('forbidden', 'no-permission'), { action: 'message.post', outcome: 'refused' }],
    ['message.post', new Refusal('rate-limited', 'rate'), { action: 'limit.hit', outcome: 'refused', reason: 'rate' }],
    ['message.post', new Refusal('invalid', 'schema'), { action: 'request.invalid', reason: 'schema' }],
    ['session.ping', new Refusal('invalid', 'malformed'), { action: 'request.invalid' }],
    ['message.post', new Refusal('internal', 'internal'), { action: 'message.post', outcome: 'failed' }],
  ] as const)('%s refused for %s', (type, refusal, expected) => {
    expect(refusalFact({ type, channel }, refusal, null)).toMatchObject({ ...expected, channel })
  })

  it('R-73 name the patient whose channel it was, where somebody asked for that channel and not only for too much', () => {
    const patient = auditId('3f2504e0-4f89-41d3-9a0c-0305e82c3303')
    const fact = (refusal: Refusal) => refusalFact({ type: 'channel.subscribe', channel }, refusal, patient)
    expect(fact(new Refusal('not-found', 'no-care-team'))).toMatchObject({ patient, channel })
    expect(fact(new Refusal('rate-limited', 'rate')).patient).toBeUndefined()
  })
})
