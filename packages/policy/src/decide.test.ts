import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Action } from './actions.ts'
import type { Actor, PolicyContext } from './actor.ts'
import { decide } from './decide.ts'
import { actorOf, NOW, subjects } from './matrix/world.ts'
import type { Resource } from './resources.ts'
import { rules } from './rules.ts'
import { parseScopes } from './scopes.ts'
import { withoutStepUp } from './step-up.ts'
import { actors, allActions, contexts, questions, resources, scopeLists } from './worlds.arbitrary.ts'

/** The question as it comes from a property: its action fits its resource, which the types cannot see. */
function ask(actor: Actor, { action, resource }: { action: Action; resource: Resource }, context: PolicyContext) {
  return decide(actor, action, resource as never, context)
}

/** Later than every moment, and every sum of two, of these worlds. */
const AFTER_ALL = 30

/** Runs the property so often that rare meetings of ids and moments are met; seeds of failures are printed by fast-check. */
function holds<T extends unknown[]>(property: fc.IPropertyWithHooks<T>) {
  fc.assert(property, { numRuns: 4000 })
}

describe('decide, whatever it is asked', () => {
  test('the worlds of these properties hold allowed and refused questions for every reason', () => {
    const seen = new Set<string>()
    // The same worlds every time: once in many runs the rarest reason does not come up in others.
    const worlds = fc.sample(fc.tuple(actors, questions, contexts), { numRuns: 20_000, seed: 1 })
    for (const [actor, question, context] of worlds) {
      seen.add(ask(actor, question, context).reason)
    }
    expect([...seen].sort()).toEqual([
      'archived',
      'assignment-ended',
      'assignment-not-begun',
      'care-team',
      'disabled',
      'emergency-access',
      'emergency-access-ended',
      'member',
      'no-care-team',
      'no-permission',
      'not-a-member',
      'not-own',
      'not-sender',
      'own',
      'own-account',
      'own-care-team',
      'own-emergency-access',
      'own-message',
      'own-roles',
      'people-only',
      'role',
      'scope',
      'step-up',
      'system-role',
      'tenant-wall',
      'wrong-channel',
    ])
  })

  test('[R-37] never allows anything across tenants, nor says that there is something', () => {
    holds(
      fc.property(actors, questions, contexts, (actor, question, context) => {
        const { resource } = question
        fc.pre(actor.status === 'active')
        fc.pre(
          resource.tenant !== actor.tenant || (resource.kind === 'message' && resource.channel.tenant !== actor.tenant),
        )
        expect(ask(actor, question, context)).toEqual({ allowed: false, code: 'not-found', reason: 'tenant-wall' })
      }),
    )
  })

  test('[R-19] never allows a disabled account anything', () => {
    holds(
      fc.property(actors, questions, contexts, (actor, question, context) => {
        expect(ask({ ...actor, status: 'disabled' }, question, context).allowed).toBe(false)
      }),
    )
  })

  test('[R-31] taking a scope away never turns a denial into a permission', () => {
    holds(
      fc.property(
        actors,
        questions,
        contexts,
        scopeLists.chain((words) => fc.tuple(fc.constant(words), fc.subarray(words))),
        (actor, question, context, [words, fewer]) => {
          const withAll = ask({ ...actor, scopes: parseScopes(words.join(' ')) }, question, context)
          const withFewer = ask({ ...actor, scopes: parseScopes(fewer.join(' ')) }, question, context)
          expect(withFewer.allowed && !withAll.allowed).toBe(false)
        },
      ),
    )
  })

  test('[R-31] narrowing a family to named resources never turns a denial into a permission', () => {
    const families = 'account clinical audit admin'
    holds(
      fc.property(actors, questions, contexts, scopeLists, (someone, question, context, words) => {
        const actor = { ...someone, kind: 'person' as const }
        const broad = ask({ ...actor, scopes: parseScopes(families) }, question, context)
        const narrow = ask({ ...actor, scopes: parseScopes(words.join(' ')) }, question, context)
        expect(narrow.allowed && !broad.allowed).toBe(false)
      }),
    )
  })

  test('[R-30] taking a permission away never turns a denial into a permission', () => {
    holds(
      fc.property(actors, questions, contexts, fc.nat(), (actor, question, context, which) => {
        fc.pre(actor.permissions.size > 0)
        const permissions = new Set(actor.permissions)
        permissions.delete([...permissions][which % permissions.size]!)
        const before = ask(actor, question, context)
        const after = ask({ ...actor, permissions }, question, context)
        expect(after.allowed && !before.allowed).toBe(false)
      }),
    )
  })

  test('`until` is honest: allowed up to the moment before it, and not at it', () => {
    holds(
      fc.property(actors, questions, contexts, (actor, question, context) => {
        const decision = ask(actor, question, context)
        fc.pre(decision.allowed)
        const { until } = decision
        const at = (now: number) => ask(actor, question, { ...context, now }).allowed
        const end = until ?? AFTER_ALL
        for (let now = context.now; now < end; now += 1) expect([now, at(now)]).toEqual([now, true])
        expect([end, at(end)]).toEqual([end, until === null])
      }),
    )
  })

  test('[R-37] of a channel that one may not read, every refusal says that there is nothing', () => {
    const inChannels = questions.filter(({ resource }) => resource.kind === 'channel' || resource.kind === 'message')
    holds(
      fc.property(actors, inChannels, contexts, (actor, question, { now }) => {
        fc.pre(actor.status === 'active')
        const { resource } = question
        const channel = resource.kind === 'message' ? resource.channel : resource
        const context = { now, policy: withoutStepUp }
        const decision = ask(actor, question, context)
        fc.pre(!ask(actor, { action: 'channel.read', resource: channel }, context).allowed && !decision.allowed)
        expect(decision).toMatchObject({ code: 'not-found' })
      }),
    )
  })

  test('changes nothing that it is given', () => {
    holds(
      fc.property(actors, questions, contexts, (actor, question, context) => {
        const given = structuredClone({ actor, question, context })
        const first = ask(actor, question, context)
        expect({ actor, question, context }).toEqual(given)
        expect(ask(actor, question, context)).toEqual(first)
      }),
    )
  })
})

describe('what may be known', () => {
  test('of oneself, always: without any permission, one’s own account is refused, not denied to exist', () => {
    const actor = { ...actorOf('nurse', 'stranger'), permissions: new Set<never>() }
    const context = { now: NOW, policy: withoutStepUp }
    expect(ask(actor, { action: 'presence.set', resource: subjects.self }, context)).toMatchObject({
      code: 'forbidden',
    })
    expect(ask(actor, { action: 'presence.set', resource: subjects['other-user'] }, context)).toMatchObject({
      code: 'not-found',
    })
  })
})

describe('decide is total', () => {
  const garbage = fc.oneof(fc.anything(), fc.constantFrom('__proto__', 'constructor', 'toString', ''))

  test('anything at all is answered, and denied', () => {
    holds(
      fc.property(garbage, garbage, garbage, garbage, (actor, action, resource, context) => {
        expect(decide(actor as never, action as never, resource as never, context as never).allowed).toBe(false)
      }),
    )
  })

  test('whoever asks is somebody: a well-formed question from anything else is denied', () => {
    holds(
      fc.property(garbage, questions, contexts, (actor, question, context) => {
        expect(ask(actor as never, question, context).allowed).toBe(false)
      }),
    )
  })

  test('an actor without a part that the decision needs is denied', () => {
    const needed = fc.constantFrom('tenant', 'user', 'status', 'permissions', 'careTeam', 'emergencyAccess', 'scopes')
    const aboutPatient = questions.filter(({ action }) => action === 'patient.read')
    holds(
      fc.property(
        actors,
        aboutPatient,
        contexts,
        needed,
        fc.constantFrom(undefined, null),
        (actor, question, context, part, none) => {
          expect(ask({ ...actor, [part]: none }, question, context).allowed).toBe(false)
        },
      ),
    )
  })

  test('one part replaced by anything is answered, without a throw', () => {
    const parts = ['tenant', 'user', 'permissions', 'careTeam', 'memberships', 'emergencyAccess', 'scopes', 'roles']
    holds(
      fc.property(
        actors,
        questions,
        contexts,
        fc.constantFrom(...parts),
        garbage,
        (actor, question, context, part, anything) => {
          const decision = ask({ ...actor, [part]: anything }, question, context)
          expect(typeof decision.allowed).toBe('boolean')
        },
      ),
    )
  })

  test('an actor or resource without ids is not taken for its owner', () => {
    holds(
      fc.property(
        actors,
        questions,
        contexts,
        fc.constantFrom(undefined, null, '', 0),
        (actor, question, context, none) => {
          const resource = Object.fromEntries(Object.keys(question.resource).map((key) => [key, none]))
          const emptied = { ...resource, kind: question.resource.kind, channel: resource } as unknown as Resource
          const nobody = { ...actor, user: none, tenant: none } as unknown as Actor
          expect(ask(nobody, { ...question, resource: emptied }, context).allowed).toBe(false)
        },
      ),
    )
  })

  test.for([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])(
    'a clock that says %s allows nothing',
    (now) => {
      holds(
        fc.property(actors, questions, contexts, (actor, question, context) => {
          expect(ask(actor, question, { ...context, now }).allowed).toBe(false)
        }),
      )
    },
  )

  test('an action asked of a kind of resource that it does not have is malformed', () => {
    holds(
      fc.property(actors, fc.constantFrom(...allActions), resources, contexts, (actor, action, resource, context) => {
        fc.pre(!(rules[action].on as readonly string[]).includes(resource.kind))
        const malformed = { allowed: false, code: 'forbidden', reason: 'malformed' }
        expect(ask(actor, { action, resource }, context)).toEqual(malformed)
      }),
    )
  })
})
