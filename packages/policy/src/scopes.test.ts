import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Action } from './actions.ts'
import type { Actor } from './actor.ts'
import { decide } from './decide.ts'
import type { Subject } from './matrix/index.ts'
import { actorOf, NOW, subjects } from './matrix/world.ts'
import { allPermissions } from './permissions.ts'
import type { PatientResource } from './resources.ts'
import { systemRoles } from './roles.ts'
import { isScopeClaim, MAX_SCOPE_LENGTH, noScopes, parseScopes, personScopes } from './scopes.ts'
import { withoutStepUp } from './step-up.ts'
import { scopeLists } from './worlds.arbitrary.ts'

const context = { now: NOW, policy: withoutStepUp }
const another = '99999999-9999-4999-8999-999999999999'
const { id: patient } = subjects.patient as PatientResource
const channel = '40000000-0000-4000-8000-000000000001'

/** A service account in the world of the matrix, with a nurse’s permissions, on the team and in every group. */
function service(claim: string): Actor {
  return { ...actorOf('nurse', 'member-on-team'), kind: 'service', scopes: parseScopes(claim) }
}

function allowed(actor: Actor, questions: readonly (readonly [Action, Subject])[]): string[] {
  return questions
    .filter(([action, subject]) => decide(actor, action, subjects[subject] as never, context).allowed)
    .map(([action, subject]) => `${action} ${subject}`)
}

const everything = [
  ['patient.read', 'patient'],
  ['channel.read', 'patient-channel'],
  ['receipt.mark', 'patient-channel'],
  ['message.post', 'patient-channel'],
  ['typing.set', 'patient-channel'],
  ['message.correct', 'own-message'],
  ['message.recall', 'own-message'],
  ['message.acknowledge', 'others-message'],
  ['channel.read', 'group'],
  ['message.post', 'group'],
  ['channel.create-group', 'tenant'],
  ['directory.read', 'tenant'],
  ['account.read', 'self'],
] as const

describe('[R-23] [R-31] what a narrow scope reaches', () => {
  test.for([
    [
      `patient:read:${patient}`,
      ['patient.read patient', 'channel.read patient-channel', 'receipt.mark patient-channel'],
    ],
    [`channel:read:${channel}`, ['channel.read patient-channel', 'receipt.mark patient-channel']],
    [
      `channel:post:${channel}`,
      [
        'message.post patient-channel',
        'typing.set patient-channel',
        'message.correct own-message',
        'message.recall own-message',
      ],
    ],
    ['directory:read', ['directory.read tenant']],
    ['import:run', []],
    [`patient:read:${another} channel:read:${another} channel:post:${another}`, []],
    ['account clinical audit admin', []],
  ] as const)('%s', ([claim, reached]) => {
    expect(isScopeClaim(claim)).toBe(true)
    expect(allowed(service(claim), everything)).toEqual(reached)
  })

  test('nothing without the live policy’s consent: off the team, the scope for the patient is worth nothing', () => {
    const off = { ...service(`patient:read:${patient} channel:post:${channel}`), careTeam: new Map() }
    expect(allowed(off, everything)).toEqual([])
  })

  test('to post is not to see: what is out of scope is not there, though posting works', () => {
    const poster = service(`channel:post:${channel}`)
    expect(decide(poster, 'channel.read', subjects['patient-channel'] as never, context)).toMatchObject({
      code: 'not-found',
      reason: 'scope',
    })
  })

  test('to see is not to post: the channel is there, and closed', () => {
    const reader = service(`channel:read:${channel}`)
    expect(decide(reader, 'message.post', subjects['patient-channel'] as never, context)).toMatchObject({
      code: 'forbidden',
      reason: 'scope',
    })
  })

  test('a person’s narrowed token reaches what the scope names', () => {
    const person = { ...service(`channel:read:${channel}`), kind: 'person' as const }
    expect(allowed(person, everything)).toEqual(['channel.read patient-channel', 'receipt.mark patient-channel'])
  })

  test.for([
    ['message.acknowledge', 'others-message'],
    ['order.write', 'patient-channel'],
    ['order.acknowledge', 'others-message'],
    ['emergency-access.open', 'patient'],
    ['emergency-access.close', 'own-emergency-access'],
    ['emergency-access.review', 'others-emergency-access'],
    ['patient.look-up', 'tenant'],
    ['audit.review', 'audit'],
    ['account.change', 'self'],
  ] as const)('%s is never a service account’s, whatever its permissions', ([action, subject]) => {
    const permissions = new Set(allPermissions)
    const claim = `account clinical audit admin patient:read:${patient}`
    expect(decide({ ...service(claim), permissions }, action, subjects[subject] as never, context)).toMatchObject({
      allowed: false,
      reason: 'people-only',
    })
  })
})

describe('scope claims', () => {
  test.for([
    '',
    ' ',
    ' clinical',
    'clinical ',
    'clinical  account',
    'clinical\taccount',
    'clinical,account',
    'Clinical',
    'clinical*',
    '*',
    'patient:read',
    'patient:read:',
    'patient:read:*',
    'patient:post:30000000-0000-4000-8000-000000000001',
    'patient:read:30000000-0000-4000-8000-00000000000A',
    'patient:read:30000000-0000-4000-8000-000000000001:x',
    'patient:read:30000000-0000-4000-8000-000000000001\n',
    'x:patient:read:30000000-0000-4000-8000-000000000001',
    'import:run:30000000-0000-4000-8000-000000000001',
    'constructor',
    '__proto__',
    'clinical account unknown',
    `${'account '.repeat(MAX_SCOPE_LENGTH / 8)}account`,
  ])('%j is malformed and covers nothing, what is well formed in it included', (claim) => {
    expect(isScopeClaim(claim)).toBe(false)
    expect(parseScopes(claim)).toBe(noScopes)
  })

  test('any string is read without a throw; any list of known words is well formed', () => {
    const claims = fc.oneof(fc.string({ unit: 'binary' }), fc.anything() as fc.Arbitrary<string>)
    fc.assert(
      fc.property(claims, (claim) => {
        expect(parseScopes(claim)).toBeDefined()
      }),
    )
    fc.assert(
      fc.property(scopeLists, (words) => {
        expect(isScopeClaim(words.join(' '))).toBe(true)
      }),
    )
  })

  test('a person’s token covers their own things and the families of their role', () => {
    const claims = Object.entries(systemRoles).map(([name, { permissions }]) => [name, personScopes(permissions)])
    expect(Object.fromEntries(claims)).toEqual({
      physician: 'account clinical',
      nurse: 'account clinical',
      pharmacist: 'account clinical',
      'unit-clerk': 'account clinical',
      administrator: 'account admin audit',
      auditor: 'account audit',
    })
    expect(personScopes([])).toBe('account')
  })
})
