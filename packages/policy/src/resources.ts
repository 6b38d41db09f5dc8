/** What an action is done to. Built from stored rows, never from what a client claims; `tenant` is the row’s own. */
export type Resource =
  | TenantResource
  | AuditResource
  | PatientResource
  | ChannelResource
  | MessageResource
  | UserResource
  | RoleResource
  | AssignmentResource
  | SessionResource
  | EmergencyAccessResource

/** The organisation as a whole: lists, settings, creation of something that does not exist yet. */
export interface TenantResource {
  readonly kind: 'tenant'
  readonly tenant: string
}

export interface AuditResource {
  readonly kind: 'audit'
  readonly tenant: string
}

export interface PatientResource {
  readonly kind: 'patient'
  readonly tenant: string
  readonly id: string
}

export interface ChannelResource {
  readonly kind: 'channel'
  readonly tenant: string
  readonly id: string
  readonly channelKind: 'patient' | 'group' | 'direct' | 'broadcast'
  /** The patient that the channel is about: always set for kind `patient`. */
  readonly patient: string | null
  readonly archived: boolean
}

export interface MessageResource {
  readonly kind: 'message'
  readonly tenant: string
  readonly id: string
  /** User id of who posted it. */
  readonly sender: string
  readonly channel: ChannelResource
}

export interface UserResource {
  readonly kind: 'user'
  readonly tenant: string
  readonly id: string
}

export interface RoleResource {
  readonly kind: 'role'
  readonly tenant: string
  readonly name: string
  /** One of `systemRoles`. */
  readonly system: boolean
}

/** A person’s place on a patient’s care team, existing or about to be. */
export interface AssignmentResource {
  readonly kind: 'assignment'
  readonly tenant: string
  readonly patient: string
  readonly user: string
}

/** A session, a device, a live connection: what belongs to one user and can be ended. */
export interface SessionResource {
  readonly kind: 'session'
  readonly tenant: string
  /** User id. */
  readonly owner: string
}

/** One use of emergency access. */
export interface EmergencyAccessResource {
  readonly kind: 'emergency-access'
  readonly tenant: string
  readonly patient: string
  /** User id of who opened it. */
  readonly user: string
}
