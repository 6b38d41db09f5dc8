import { describe, expect, test } from 'vitest'
import { abilities, channelAbilities } from './abilities.ts'
import type { Standing, Subject } from './matrix/index.ts'
import { actorOf, NOW, subjects } from './matrix/world.ts'
import type { ChannelResource } from './resources.ts'
import type { SystemRole } from './roles.ts'
import { withoutStepUp } from './step-up.ts'

const context = { now: NOW, policy: withoutStepUp }

describe('what a person may do at all', () => {
  const clinical = [
    'channel.read',
    'account.change',
    'account.read',
    'channel.create-direct',
    'channel.create-group',
    'directory.read',
    'presence.set',
  ]
  const oversight = [
    'account.change',
    'account.read',
    'alert.read',
    'audit.read',
    'care-team.read',
    'connection.read',
    'directory.read',
    'emergency-access.read',
    'integration.read',
    'key.read',
    'role.read',
    'session.read',
    'settings.read',
    'user.read',
  ]
  const administrative = [
    'alert.manage',
    'care-team.manage',
    'emergency-access.review',
    'import.run',
    'integration.manage',
    'key.rotate',
    'role.assign',
    'factor.reset',
    'password.reset',
    'role.manage',
    'session.manage',
    'settings.manage',
    'user.manage',
  ]

  test.for<[SystemRole, string[]]>([
    ['physician', [...clinical, 'emergency-access.open', 'patient.look-up']],
    ['nurse', [...clinical, 'emergency-access.open', 'patient.look-up']],
    ['pharmacist', [...clinical, 'emergency-access.open', 'patient.look-up']],
    ['unit-clerk', clinical],
    ['administrator', [...oversight, ...administrative]],
    ['auditor', [...oversight, 'audit.export', 'audit.review']],
  ])('%s', ([role, expected]) => {
    expect(abilities(actorOf(role, 'stranger'), context).sort()).toEqual([...expected].sort())
  })

  test('nothing once disabled', () => {
    expect(abilities(actorOf('administrator', 'disabled'), context)).toEqual([])
  })
})

describe('what a person may do in a channel', () => {
  const write = ['channel.read', 'message.post', 'receipt.mark', 'typing.set']
  const speak = [...write, 'message.correct', 'message.recall', 'message.acknowledge']

  test.for<[SystemRole, Standing, Subject, string[]]>([
    ['physician', 'on-team', 'patient-channel', [...speak, 'order.write']],
    ['nurse', 'on-team', 'patient-channel', [...speak, 'order.acknowledge']],
    ['unit-clerk', 'on-team', 'patient-channel', speak],
    ['nurse', 'emergency', 'patient-channel', [...speak, 'order.acknowledge']],
    ['nurse', 'ended', 'patient-channel', []],
    ['nurse', 'stranger', 'group', []],
    ['nurse', 'member', 'group', [...speak, 'channel.manage']],
    ['nurse', 'member', 'direct', speak],
    ['physician', 'on-team', 'archived-channel', ['channel.read']],
    ['administrator', 'on-team', 'patient-channel', []],
    ['auditor', 'member', 'group', []],
    ['physician', 'other-tenant', 'patient-channel', []],
  ])('a %s, %s, in a %s', ([role, standing, subject, expected]) => {
    const channel = subjects[subject] as ChannelResource
    expect(channelAbilities(actorOf(role, standing), channel, context).sort()).toEqual([...expected].sort())
  })
})
