import type { Actor } from './actor.ts'
import type { DenyReason } from './decision.ts'
import type {
  AssignmentResource,
  ChannelResource,
  EmergencyAccessResource,
  MessageResource,
  RoleResource,
  TenantResource,
  UserResource,
} from './resources.ts'

/** What stands in the way of someone who has the permission and the relation; `null` when nothing does. */
export type Condition<R> = (actor: Actor, resource: R) => DenyReason | null

/** Nothing is added to, or changed in, an archived channel. */
export const notArchived: Condition<ChannelResource | MessageResource> = (_, resource) =>
  channelOf(resource).archived ? 'archived' : null

export const inPatientChannel: Condition<ChannelResource | MessageResource> = (_, resource) =>
  channelOf(resource).channelKind === 'patient' ? null : 'wrong-channel'

/** Who belongs to a patient’s channel follows from care, and a direct conversation stays between its two. */
export const inGroup: Condition<ChannelResource> = (_, channel) =>
  channel.channelKind === 'group' ? null : 'wrong-channel'

/** Everyone on a broadcast list reads it; writing to it is a permission of its own. */
export const mayBroadcast: Condition<ChannelResource> = (actor, channel) =>
  channel.channelKind === 'broadcast' && !actor.permissions.has('message.broadcast') ? 'no-permission' : null

export const bySender: Condition<MessageResource> = (actor, message) =>
  message.sender === actor.user ? null : 'not-sender'

/** One does not acknowledge for others what one said oneself. */
export const byAnother: Condition<MessageResource> = (actor, message) =>
  message.sender === actor.user ? 'own-message' : null

/** Separation of duties: administration is of others. One’s own account goes through `account.change`. */
export const notOwnAccount: Condition<TenantResource | UserResource> = (actor, resource) =>
  resource.kind === 'user' && resource.id === actor.user ? 'own-account' : null

/** Nobody gives roles to, or takes roles from, oneself. */
export const notOwnRoles: Condition<UserResource> = (actor, user) => (user.id === actor.user ? 'own-roles' : null)

/** Nor changes what a role gives that one holds oneself; and the roles that ship stay what they are. */
export const notOwnNorSystemRole: Condition<TenantResource | RoleResource> = (actor, resource) => {
  if (resource.kind !== 'role') return null
  if (resource.system) return 'system-role'
  return actor.roles.has(resource.name) ? 'own-roles' : null
}

/** Nobody assigns themselves to a patient: that is what emergency access is for, which others see. */
export const notOwnCareTeam: Condition<AssignmentResource> = (actor, assignment) =>
  assignment.user === actor.user ? 'own-care-team' : null

/** A use of emergency access is reviewed by a person other than its user. */
export const notOwnEmergencyAccess: Condition<EmergencyAccessResource> = (actor, use) =>
  use.user === actor.user ? 'own-emergency-access' : null

function channelOf(resource: ChannelResource | MessageResource): ChannelResource {
  return resource.kind === 'message' ? resource.channel : resource
}
