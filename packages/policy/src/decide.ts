import type { Action, ActionResources } from './actions.ts'
import type { Actor, PolicyContext } from './actor.ts'
import type { Allowed, Decision, Denied, DenyReason } from './decision.ts'
import { permissions } from './permissions.ts'
import type { Resource } from './resources.ts'
import { type Rule, rules } from './rules.ts'
import { covers } from './scopes.ts'
import { steppedUpUntil } from './step-up.ts'

/**
 * The one decision function (R-32; 45 CFR 164.312(a)(1)): may `actor` do `action` to `resource`, now?
 *
 * Pure and total: it reads nothing but its arguments, never throws, and denies whatever no rule allows, malformed input
 * included. Cheap enough to be asked for every frame and every recipient (well below a microsecond), so nothing needs to cache
 * it; who does so nevertheless must ask again at `until`, and whenever the actor or the resource has changed.
 *
 * A denial’s `code` goes to the asker and says `not-found` unless the asker may know that there is something: the answer is then the
 * one that an id of nothing gets. Its `reason` is for the audit log.
 */
export function decide<A extends Action>(
  actor: Actor,
  action: A,
  resource: ActionResources[A],
  context: PolicyContext,
): Decision {
  try {
    return judge(actor, action, resource, context)
  } catch {
    // Only input that its type forbids gets here: what cannot be judged is denied.
    return malformed
  }
}

const malformed: Denied = { allowed: false, code: 'forbidden', reason: 'malformed' }
const disabled: Denied = { allowed: false, code: 'unauthenticated', reason: 'disabled' }
const tenantWall: Denied = { allowed: false, code: 'not-found', reason: 'tenant-wall' }
const stepUp: Denied = { allowed: false, code: 'step-up-required', reason: 'step-up' }

const ruleOf: ReadonlyMap<string, Rule> = new Map(Object.entries(rules) as [Action, Rule][])

function judge(actor: Actor, action: Action, resource: Resource, context: PolicyContext): Decision {
  const rule = ruleOf.get(action)
  if (rule === undefined || !rule.on.includes(resource.kind) || !Number.isFinite(context.now)) return malformed
  // Two missing ids would be equal: of an owner, a sender, a tenant.
  if (!isId(actor.user) || !isId(actor.tenant)) return malformed
  if (actor.status !== 'active') return disabled
  if (!withinTenant(actor, resource)) return tenantWall

  const right = rightBy(rule, actor, action, resource, context.now)
  if (typeof right === 'string') return refusal(right, actor, resource, context.now)

  const until = steppedUpUntil(actor, action, context)
  if (!(context.now < until)) return stepUp
  return until < (right.until ?? Number.POSITIVE_INFINITY) ? { allowed: true, reason: right.reason, until } : right
}

/** A tenant is a wall: nothing across it exists. */
function withinTenant({ tenant }: Actor, resource: Resource): boolean {
  return resource.tenant === tenant && (resource.kind !== 'message' || resource.channel.tenant === tenant)
}

function isId(id: unknown): boolean {
  return typeof id === 'string' && id !== ''
}

function rightBy(rule: Rule, actor: Actor, action: Action, resource: Resource, now: number): Allowed | DenyReason {
  if (rule.peopleOnly && actor.kind !== 'person') return 'people-only'
  if (rule.permission !== null && !actor.permissions.has(rule.permission)) return 'no-permission'
  const family = rule.permission === null ? 'account' : permissions[rule.permission].scope
  if (!covers(actor.scopes, actor.kind, family, action, resource)) return 'scope'
  const right = rule.who(actor, resource, now)
  if (typeof right === 'string') return right
  for (const condition of rule.provided) {
    const reason = condition(actor, resource)
    if (reason !== null) return reason
  }
  return right
}

function refusal(reason: DenyReason, actor: Actor, resource: Resource, now: number): Denied {
  return { allowed: false, code: mayKnowOf(actor, resource, now) ? 'forbidden' : 'not-found', reason }
}

/** Whether the actor may know that the resource exists: it is theirs, or they may read it, or it is the organisation itself. */
function mayKnowOf(actor: Actor, resource: Resource, now: number): boolean {
  switch (resource.kind) {
    case 'tenant':
    case 'audit':
      return true
    case 'channel':
      return mayRead(actor, 'channel.read', resource, now)
    case 'message':
      return mayRead(actor, 'channel.read', resource.channel, now)
    case 'patient':
      return mayRead(actor, 'patient.read', resource, now) || mayRead(actor, 'care-team.read', resource, now)
    case 'assignment':
      return mayRead(actor, 'care-team.read', resource, now)
    case 'user':
      return resource.id === actor.user || mayRead(actor, 'directory.read', resource, now)
    case 'role':
      return mayRead(actor, 'role.read', resource, now)
    case 'session':
      return resource.owner === actor.user || mayRead(actor, 'session.read', resource, now)
    case 'emergency-access':
      return resource.user === actor.user || mayRead(actor, 'emergency-access.read', resource, now)
  }
}

function mayRead<A extends Action>(
  actor: Actor,
  action: A,
  resource: ActionResources[A] & Resource,
  now: number,
): boolean {
  const rule = ruleOf.get(action)
  return rule !== undefined && typeof rightBy(rule, actor, action, resource, now) !== 'string'
}
