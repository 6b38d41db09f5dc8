import type {
  AssignmentResource,
  AuditResource,
  ChannelResource,
  EmergencyAccessResource,
  MessageResource,
  PatientResource,
  RoleResource,
  SessionResource,
  TenantResource,
  UserResource,
} from './resources.ts'

/**
 * Every verb that can be asked for, and what it is done to. `TenantResource` stands for the list of such things and for
 * creating one. Actions bear the name of the permission they need; those of `account` and `emergency-access.close` need none, and
 * `factor.reset` and `password.reset`, taking another’s second factors away and letting them set a password, need `user.manage`.
 *
 * Attachments follow their message: upload is `message.post`, download is `channel.read`. Delivery of every event, receipt and
 * typing sign is `channel.read` of the recipient (P5).
 */
export interface ActionResources {
  'account.read': UserResource
  'account.change': UserResource
  'account.end-session': SessionResource
  'directory.read': TenantResource | UserResource
  'patient.read': PatientResource
  'patient.look-up': TenantResource
  'channel.read': ChannelResource
  'channel.create-direct': UserResource
  'channel.create-group': TenantResource
  'channel.manage': ChannelResource
  'message.post': ChannelResource
  'message.acknowledge': MessageResource
  'message.correct': MessageResource
  'message.recall': MessageResource
  'receipt.mark': ChannelResource
  'typing.set': ChannelResource
  'presence.set': UserResource
  'order.write': ChannelResource
  'order.acknowledge': MessageResource
  'emergency-access.open': PatientResource
  'emergency-access.close': EmergencyAccessResource
  'user.read': TenantResource | UserResource
  'role.read': TenantResource | RoleResource
  'care-team.read': TenantResource | PatientResource | AssignmentResource
  'session.read': TenantResource | SessionResource
  'connection.read': TenantResource
  'emergency-access.read': TenantResource | EmergencyAccessResource
  'alert.read': TenantResource
  'integration.read': TenantResource
  'settings.read': TenantResource
  'key.read': TenantResource
  'audit.read': AuditResource
  'audit.export': AuditResource
  'audit.review': AuditResource
  'user.manage': TenantResource | UserResource
  'factor.reset': UserResource
  'password.reset': UserResource
  'role.manage': TenantResource | RoleResource
  'role.assign': UserResource
  'care-team.manage': AssignmentResource
  'session.manage': SessionResource
  'emergency-access.review': EmergencyAccessResource
  'alert.manage': TenantResource
  'integration.manage': TenantResource
  'settings.manage': TenantResource
  'key.rotate': TenantResource
  'import.run': TenantResource
}

export type Action = keyof ActionResources
