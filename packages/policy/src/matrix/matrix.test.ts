import { describe, expect, test } from 'vitest'
import type { Action } from '../actions.ts'
import type { Actor } from '../actor.ts'
import { decide } from '../decide.ts'
import { allPermissions } from '../permissions.ts'
import { type SystemRole, systemRoles } from '../roles.ts'
import { rules } from '../rules.ts'
import { parseScopes, personScopes } from '../scopes.ts'
import { withoutStepUp } from '../step-up.ts'
import { type MatrixCase, matrix } from './index.ts'
import { actorOf, NOW, subjects } from './world.ts'

const context = { now: NOW, policy: withoutStepUp }

/** The table is checked by its own types where it is written; here action and subject come from its text. */
function decided({ action, subject }: MatrixCase, actor: Actor) {
  const { until: _, ...rest } = { until: null, ...decide(actor, action, subjects[subject] as never, context) }
  return rest
}

describe('[R-30] [R-31] [R-38] the matrix of role, action, subject and standing', () => {
  for (const [action, cases] of Map.groupBy(matrix, (each) => each.action)) {
    test(`${action}: ${cases.length} cells`, () => {
      for (const each of cases) {
        const where = `${each.role}, ${each.standing}, ${action} on ${each.subject}`
        expect({ where, ...decided(each, actorOf(each.role, each.standing)) }).toEqual({ where, ...each.expected })
      }
    })
  }

  test('speaks of every action, and of each cell once', () => {
    expect(new Set(matrix.map((each) => each.action))).toEqual(new Set(Object.keys(rules)))
    const cells = matrix.map((each) => `${each.action} ${each.subject} ${each.standing} ${each.role}`)
    expect(cells).toHaveLength(new Set(cells).size)
  })

  test('asks for every action of every kind of resource that its rule accepts', () => {
    for (const action of Object.keys(rules) as Action[]) {
      const asked = new Set(matrix.filter((each) => each.action === action).map((each) => subjects[each.subject].kind))
      expect([action, [...asked].sort()]).toEqual([action, [...rules[action].on].sort()])
    }
  })
})

describe('[R-30] the matrix pins the seeded roles', () => {
  const noticed = (role: SystemRole, change: (actor: Actor) => Actor) =>
    matrix.some(
      (each) =>
        each.role === role &&
        JSON.stringify(decided(each, change(actorOf(role, each.standing)))) !== JSON.stringify(each.expected),
    )

  test.for(Object.keys(systemRoles) as SystemRole[])('a permission more or less for the %s changes a cell', (role) => {
    const held = new Set<string>(systemRoles[role].permissions)
    for (const permission of allPermissions) {
      // Where to write is a matter only for those who may write.
      if (permission === 'message.broadcast' && !held.has('message.post')) continue
      const permissions = new Set(allPermissions.filter((each) => held.has(each) !== (each === permission)))
      const scopes = parseScopes(personScopes(permissions))
      expect([permission, noticed(role, (actor) => ({ ...actor, permissions, scopes }))]).toEqual([permission, true])
    }
  })
})
