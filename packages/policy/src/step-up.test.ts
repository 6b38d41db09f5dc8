import { describe, expect, test } from 'vitest'
import { abilities } from './abilities.ts'
import type { Actor, StepUpPolicy } from './actor.ts'
import { decide } from './decide.ts'
import { actorOf, NOW, subjects } from './matrix/world.ts'
import { rules } from './rules.ts'
import { highRiskActions } from './step-up.ts'

const MINUTE = 60_000
const stepUp: StepUpPolicy = {
  actions: new Set(highRiskActions),
  maxAgeMs: 5 * MINUTE,
  level: 'aal2',
  certificateSuffices: false,
}
const tenant = subjects.tenant as { kind: 'tenant'; tenant: string }
const required = { allowed: false, code: 'step-up-required', reason: 'step-up' }

function rotate(proof: Partial<Actor>, policy: Partial<StepUpPolicy> = {}) {
  const administrator = { ...actorOf('administrator', 'stranger'), ...proof }
  return decide(administrator, 'key.rotate', tenant, { now: NOW, policy: { stepUp: { ...stepUp, ...policy } } })
}

describe('[R-20] [R-35] step-up', () => {
  test('a proof within its age serves, and says until when', () => {
    expect(rotate({ authTime: NOW - MINUTE })).toEqual({ allowed: true, reason: 'role', until: NOW + 4 * MINUTE })
    expect(rotate({ authTime: NOW - 5 * MINUTE + 1 })).toMatchObject({ allowed: true })
  })

  test('one past its age does not', () => {
    expect(rotate({ authTime: NOW - 5 * MINUTE })).toEqual(required)
    expect(rotate({ authTime: Number.NaN })).toEqual(required)
  })

  test.for([
    ['aal1', 'aal2', false],
    ['aal2', 'aal2', true],
    ['aal3', 'aal2', true],
    ['aal2', 'aal3', false],
    ['aal1', 'aal1', true],
    ['', 'aal1', false],
    ['aal9', 'aal1', false],
  ] as const)('%s where %s is asked for: %s', ([acr, level, serves]) => {
    expect(rotate({ authTime: NOW, acr }, { level }).allowed).toBe(serves)
  })

  test('a level that is not known is reached by nobody', () => {
    expect(rotate({ authTime: NOW, acr: 'aal3' }, { level: 'aal9' as never })).toEqual(required)
    expect(rotate({ authTime: NOW, acr: 'aal9' }, { level: 'aal9' as never })).toEqual(required)
  })

  test('a client certificate stands in for it only where that is configured', () => {
    expect(rotate({ mtls: true, acr: 'aal1' })).toEqual(required)
    expect(rotate({ mtls: true, acr: 'aal1' }, { certificateSuffices: true })).toMatchObject({
      allowed: true,
      until: null,
    })
    expect(rotate({ mtls: false }, { certificateSuffices: true })).toEqual(required)
  })

  test('is asked last: nobody is asked to prove themselves for what they may not do anyway', () => {
    const context = { now: NOW, policy: { stepUp } }
    expect(decide(actorOf('nurse', 'on-team'), 'key.rotate', tenant, context)).toMatchObject({
      reason: 'no-permission',
    })
    expect(
      decide(actorOf('physician', 'stranger'), 'order.write', subjects['patient-channel'] as never, context),
    ).toMatchObject({ reason: 'no-care-team' })
    expect(
      decide(actorOf('physician', 'on-team'), 'order.write', subjects['patient-channel'] as never, context),
    ).toEqual(required)
  })

  test('what is shorter decides: the shift that ends before the proof does', () => {
    const context = { now: NOW, policy: { stepUp: { ...stepUp, maxAgeMs: 24 * 60 * MINUTE } } }
    expect(
      decide(actorOf('physician', 'on-team'), 'order.write', subjects['patient-channel'] as never, context),
    ).toEqual({ allowed: true, reason: 'care-team', until: NOW + 60 * MINUTE })
  })

  test('an ability that needs it is still an ability', () => {
    const administrator = actorOf('administrator', 'stranger')
    expect(abilities(administrator, { now: NOW, policy: { stepUp } })).toContain('key.rotate')
  })

  test('the high-risk actions exist and are never reads that a delivery needs', () => {
    for (const action of highRiskActions) expect(Object.keys(rules)).toContain(action)
    expect(highRiskActions).not.toContain('channel.read')
  })
})
