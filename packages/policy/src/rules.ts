import type { Action, ActionResources } from './actions.ts'
import {
  byAnother,
  bySender,
  type Condition,
  inGroup,
  inPatientChannel,
  mayBroadcast,
  notArchived,
  notOwnAccount,
  notOwnCareTeam,
  notOwnEmergencyAccess,
  notOwnNorSystemRole,
  notOwnRoles,
} from './conditions.ts'
import type { Permission } from './permissions.ts'
import { belongs, belongsToItsChannel, byRole, caresFor, own, type Relation } from './relations.ts'
import type { Resource } from './resources.ts'

type Kind = Resource['kind']
type Of<K extends Kind> = Extract<Resource, { kind: K }>

/** One sentence of the policy: who holds the permission and stands so to the resource may, provided nothing is in the way. */
export interface Rule<K extends Kind = Kind> {
  /** `null`: whoever stands so to the resource may. */
  readonly permission: Permission | null
  readonly on: readonly K[]
  readonly who: Relation<Of<K>>
  readonly provided: readonly Condition<Of<K>>[]
  /** A person’s own act: no service account does it, whatever its roles. */
  readonly peopleOnly: boolean
}

/**
 * The whole policy, one rule an action. There is no other way to be allowed anything.
 * 45 CFR 164.312(a)(1), 164.308(a)(4).
 */
export const rules: { readonly [A in Action]: Rule<ActionResources[A]['kind']> } = {
  // One’s own account is one’s own.
  'account.read': rule(null, ['user'], own),
  'account.change': person(rule(null, ['user'], own)),
  'account.end-session': rule(null, ['session'], own),

  // Colleagues can be looked up.
  'directory.read': rule('directory.read', ['tenant', 'user'], byRole),

  // A patient is seen by those in whose care the patient is; found, by those who may have to break the glass.
  'patient.read': rule('patient.read', ['patient'], caresFor),
  'patient.look-up': person(rule('patient.look-up', ['tenant'], byRole)),

  // A channel is read by those who belong to it. Groups are run by their members.
  'channel.read': rule('channel.read', ['channel'], belongs),
  'channel.create-direct': rule('channel.create-direct', ['user'], byRole, notOwnAccount),
  'channel.create-group': rule('channel.create-group', ['tenant'], byRole),
  'channel.manage': rule('channel.manage', ['channel'], belongs, inGroup, notArchived),

  // Those who belong write and acknowledge; what was said is corrected or recalled by who said it.
  'message.post': rule('message.post', ['channel'], belongs, mayBroadcast, notArchived),
  'message.acknowledge': person(rule('message.acknowledge', ['message'], belongsToItsChannel, byAnother, notArchived)),
  'message.correct': rule('message.correct', ['message'], belongsToItsChannel, bySender, notArchived),
  'message.recall': rule('message.recall', ['message'], belongsToItsChannel, bySender, notArchived),
  'receipt.mark': rule('receipt.mark', ['channel'], belongs, notArchived),
  'typing.set': rule('typing.set', ['channel'], belongs, notArchived),
  'presence.set': rule('presence.set', ['user'], own),

  // Orders are about a patient in one’s care, and carried out by somebody else.
  'order.write': person(rule('order.write', ['channel'], belongs, inPatientChannel, notArchived)),
  'order.acknowledge': person(
    rule('order.acknowledge', ['message'], belongsToItsChannel, inPatientChannel, byAnother, notArchived),
  ),

  // Emergency access needs no relation to the patient: it makes one. Its user may end it early; another reviews it.
  'emergency-access.open': person(rule('emergency-access.open', ['patient'], byRole)),
  'emergency-access.close': person(rule(null, ['emergency-access'], own)),
  'emergency-access.read': rule('emergency-access.read', ['tenant', 'emergency-access'], byRole),
  'emergency-access.review': person(
    rule('emergency-access.review', ['emergency-access'], byRole, notOwnEmergencyAccess),
  ),

  // Oversight reads.
  'user.read': rule('user.read', ['tenant', 'user'], byRole),
  'role.read': rule('role.read', ['tenant', 'role'], byRole),
  'care-team.read': rule('care-team.read', ['tenant', 'patient', 'assignment'], byRole),
  'session.read': rule('session.read', ['tenant', 'session'], byRole),
  'connection.read': forTenant('connection.read'),
  'alert.read': forTenant('alert.read'),
  'integration.read': forTenant('integration.read'),
  'settings.read': forTenant('settings.read'),
  'key.read': forTenant('key.read'),
  'audit.read': rule('audit.read', ['audit'], byRole),
  'audit.export': rule('audit.export', ['audit'], byRole),
  'audit.review': person(rule('audit.review', ['audit'], byRole)),

  // Administration changes things of others.
  'user.manage': rule('user.manage', ['tenant', 'user'], byRole, notOwnAccount),
  'factor.reset': person(rule('user.manage', ['user'], byRole, notOwnAccount)),
  'password.reset': person(rule('user.manage', ['user'], byRole, notOwnAccount)),
  'role.manage': rule('role.manage', ['tenant', 'role'], byRole, notOwnNorSystemRole),
  'role.assign': rule('role.assign', ['user'], byRole, notOwnRoles),
  'care-team.manage': rule('care-team.manage', ['assignment'], byRole, notOwnCareTeam),
  'session.manage': rule('session.manage', ['session'], byRole),
  'alert.manage': forTenant('alert.manage'),
  'integration.manage': forTenant('integration.manage'),
  'settings.manage': forTenant('settings.manage'),
  'key.rotate': forTenant('key.rotate'),
  'import.run': forTenant('import.run'),
}

function rule<K extends Kind>(
  permission: Permission | null,
  on: readonly K[],
  who: Relation<Of<K>>,
  ...provided: readonly Condition<Of<K>>[]
): Rule<K> {
  return { permission, on, who, provided, peopleOnly: false }
}

function person<K extends Kind>(anyone: Rule<K>): Rule<K> {
  return { ...anyone, peopleOnly: true }
}

function forTenant(permission: Permission): Rule<'tenant'> {
  return rule(permission, ['tenant'], byRole)
}
