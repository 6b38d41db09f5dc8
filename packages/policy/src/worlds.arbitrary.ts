import fc from 'fast-check'
import type { Action } from './actions.ts'
import { type Actor, assuranceLevels, type PolicyContext } from './actor.ts'
import { allPermissions, type Permission } from './permissions.ts'
import type { ChannelResource, Resource } from './resources.ts'
import { rules } from './rules.ts'
import { parseScopes, personScopes } from './scopes.ts'

/**
 * Small worlds for property tests: few ids and few moments, so that they meet often, and every shape that the types allow.
 */
const uuid = (n: number) => `00000000-0000-4000-8000-00000000000${n}`
const tenants = fc.constantFrom('riverside', 'lakeside')
const users = fc.constantFrom('okafor', 'lind')
const patients = fc.constantFrom(uuid(1), uuid(2))
const channels = fc.constantFrom(uuid(3), uuid(4))
const roleNames = fc.constantFrom('nurse', 'night-lead', 'infection-control')
const moments = fc.integer({ min: 0, max: 12 })

const map = <T>(keys: fc.Arbitrary<string>, values: fc.Arbitrary<T>) =>
  fc.array(fc.tuple(keys, values), { maxLength: 2 }).map((entries) => new Map(entries))

const scopeWords = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom('account', 'clinical', 'audit', 'admin') },
  fc.constantFrom('directory:read', 'import:run', 'audit:read'),
  patients.map((id) => `patient:read:${id}`),
  channels.chain((id) => fc.constantFrom(`channel:read:${id}`, `channel:post:${id}`)),
)

/** A well-formed claim’s words. */
export const scopeLists = fc.uniqueArray(scopeWords, { minLength: 1, maxLength: 5 })

/** Held permissions: often most of them, so that other obstacles are reached. */
const permissionSets: fc.Arbitrary<readonly Permission[]> = fc.oneof(
  fc.constant(allPermissions),
  fc.subarray([...allPermissions]),
)

export const actors: fc.Arbitrary<Actor> = fc.record({
  tenant: tenants,
  user: users,
  kind: fc.constantFrom('person', 'person', 'service'),
  status: fc.constantFrom('active', 'active', 'active', 'disabled'),
  roles: fc.uniqueArray(roleNames).map((names) => new Set(names)),
  permissions: permissionSets.map((held) => new Set(held)),
  careTeam: map(
    patients,
    fc.array(fc.record({ startsAt: moments, endsAt: fc.option(moments, { freq: 6 }) }), { maxLength: 4 }),
  ),
  memberships: map(channels, fc.record({ joinedAt: moments })),
  emergencyAccess: map(patients, fc.record({ until: moments })),
  scopes: fc.oneof(
    fc.constant(parseScopes(personScopes(allPermissions))),
    scopeLists.map((words) => parseScopes(words.join(' '))),
  ),
  authTime: moments,
  acr: fc.constantFrom(...assuranceLevels, 'urn:unknown'),
  mtls: fc.boolean(),
})

const channelResources: fc.Arbitrary<ChannelResource> = fc.record({
  kind: fc.constant('channel'),
  tenant: tenants,
  id: channels,
  channelKind: fc.constantFrom('patient', 'patient', 'group', 'direct', 'broadcast'),
  patient: fc.option(patients, { freq: 3 }),
  archived: fc.constantFrom(false, false, false, true),
})

export const resources: fc.Arbitrary<Resource> = fc.oneof(
  fc.record({ kind: fc.constantFrom('tenant', 'audit'), tenant: tenants }),
  fc.record({ kind: fc.constant('patient' as const), tenant: tenants, id: patients }),
  channelResources,
  fc.record({
    kind: fc.constant('message' as const),
    tenant: tenants,
    id: fc.constant('a message'),
    sender: users,
    channel: channelResources,
  }),
  fc.record({ kind: fc.constant('user' as const), tenant: tenants, id: users }),
  fc.record({ kind: fc.constant('role' as const), tenant: tenants, name: roleNames, system: fc.boolean() }),
  fc.record({ kind: fc.constant('assignment' as const), tenant: tenants, patient: patients, user: users }),
  fc.record({ kind: fc.constant('session' as const), tenant: tenants, owner: users }),
  fc.record({ kind: fc.constant('emergency-access' as const), tenant: tenants, patient: patients, user: users }),
)

export const allActions = Object.keys(rules) as Action[]

/** A resource, and an action that may be asked of its kind. */
export const questions: fc.Arbitrary<{ action: Action; resource: Resource }> = resources.chain((resource) => {
  const asked = allActions.filter((action) => (rules[action].on as readonly string[]).includes(resource.kind))
  return fc.record({ action: fc.constantFrom(...asked), resource: fc.constant(resource) })
})

export const contexts: fc.Arbitrary<PolicyContext> = fc.record({
  now: moments,
  policy: fc.record({
    stepUp: fc.record({
      actions: fc.oneof(
        fc.constant(new Set<Action>()),
        fc.subarray(allActions).map((each) => new Set(each)),
      ),
      maxAgeMs: moments,
      level: fc.constantFrom(...assuranceLevels),
      certificateSuffices: fc.boolean(),
    }),
  }),
})
