import type { Action, ActionResources } from './actions.ts'
import type { Actor, PolicyContext } from './actor.ts'
import { decide } from './decide.ts'
import type { ChannelResource } from './resources.ts'

/** Stands for another person, another’s thing, a patient not yet known: no row has the empty id. */
const somebodyElse = ''

/**
 * What the actor may do at all, whatever it is done to: the list by which a screen shows or leaves out its doors. What needs a
 * step-up first is in it, since the screen will ask for that. Being listed grants nothing; each use is decided anew.
 */
export function abilities(actor: Actor, context: PolicyContext): Action[] {
  const { tenant, user } = actor
  const ofTenant = { kind: 'tenant', tenant } as const
  const audit = { kind: 'audit', tenant } as const
  const self = { kind: 'user', tenant, id: user } as const
  const other = { kind: 'user', tenant, id: somebodyElse } as const
  const session = { kind: 'session', tenant, owner: somebodyElse } as const
  const patient = { kind: 'patient', tenant, id: somebodyElse } as const
  const assignment = { kind: 'assignment', tenant, patient: somebodyElse, user: somebodyElse } as const
  const channel = {
    kind: 'channel',
    tenant,
    id: somebodyElse,
    channelKind: 'group',
    patient: null,
    archived: false,
  } as const
  const emergencyAccess = { kind: 'emergency-access', tenant, patient: somebodyElse, user: somebodyElse } as const

  const listed: Action[] = []
  // In which channels is each channel's affair; here, whether conversations are for this person at all.
  const asMember = { ...actor, memberships: new Map([[somebodyElse, { joinedAt: 0 }]]) }
  if (within(asMember, 'channel.read', channel, context)) listed.push('channel.read')
  const list = <A extends Action>(resource: ActionResources[A], ...actions: readonly A[]) => {
    for (const action of actions) if (within(actor, action, resource, context)) listed.push(action)
  }
  list(self, 'account.read', 'account.change', 'presence.set')
  list(ofTenant, 'directory.read', 'patient.look-up', 'channel.create-group')
  list(other, 'channel.create-direct')
  list(patient, 'emergency-access.open')
  list(ofTenant, 'user.read', 'role.read', 'care-team.read', 'session.read', 'connection.read', 'emergency-access.read')
  list(ofTenant, 'alert.read', 'integration.read', 'settings.read', 'key.read')
  list(audit, 'audit.read', 'audit.export', 'audit.review')
  list(ofTenant, 'user.manage', 'role.manage')
  list(other, 'factor.reset', 'password.reset', 'role.assign')
  list(assignment, 'care-team.manage')
  list(session, 'session.manage')
  list(emergencyAccess, 'emergency-access.review')
  list(ofTenant, 'alert.manage', 'integration.manage', 'settings.manage', 'key.rotate', 'import.run')
  return listed
}

/**
 * What the actor may do in one channel: for its composer, menus and member list. `message.correct` and `message.recall` are of
 * the actor’s own messages, `message.acknowledge` and `order.acknowledge` of others’.
 */
export function channelAbilities(actor: Actor, channel: ChannelResource, context: PolicyContext): Action[] {
  const { tenant } = channel
  const mine = { kind: 'message', tenant, id: '', sender: actor.user, channel } as const
  const theirs = { kind: 'message', tenant, id: '', sender: somebodyElse, channel } as const
  const listed: Action[] = []
  const list = <A extends Action>(resource: ActionResources[A], ...actions: readonly A[]) => {
    for (const action of actions) if (within(actor, action, resource, context)) listed.push(action)
  }
  list(channel, 'channel.read', 'channel.manage', 'message.post', 'receipt.mark', 'typing.set', 'order.write')
  list(mine, 'message.correct', 'message.recall')
  list(theirs, 'message.acknowledge', 'order.acknowledge')
  return listed
}

function within<A extends Action>(
  actor: Actor,
  action: A,
  resource: ActionResources[A],
  context: PolicyContext,
): boolean {
  const decision = decide(actor, action, resource, context)
  return decision.allowed || decision.code === 'step-up-required'
}
