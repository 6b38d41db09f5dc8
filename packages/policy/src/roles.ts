import type { Permission } from './permissions.ts'

const everyone: readonly Permission[] = ['directory.read']

const clinical: readonly Permission[] = [
  ...everyone,
  'patient.read',
  'channel.read',
  'channel.create-direct',
  'channel.create-group',
  'channel.manage',
  'message.post',
  'message.broadcast',
  'message.acknowledge',
  'message.correct',
  'message.recall',
  'receipt.mark',
  'typing.set',
  'presence.set',
]

const breaksGlass: readonly Permission[] = ['patient.look-up', 'emergency-access.open']

const oversight: readonly Permission[] = [
  ...everyone,
  'user.read',
  'role.read',
  'care-team.read',
  'session.read',
  'connection.read',
  'emergency-access.read',
  'alert.read',
  'integration.read',
  'settings.read',
  'key.read',
  'audit.read',
]

/**
 * The roles that every tenant starts with. They cannot be changed; a hospital that wants other roles adds its own.
 * Administrators read no message by being administrators, auditors change nothing: their lists say so. What these two
 * can do or see concerns everybody, so a password alone is not enough for them.
 */
export const systemRoles = {
  physician: {
    text: 'Treats patients and writes orders',
    requireSecondFactor: false,
    permissions: [...clinical, ...breaksGlass, 'order.write'],
  },
  nurse: {
    text: 'Cares for patients and carries out orders',
    requireSecondFactor: false,
    permissions: [...clinical, ...breaksGlass, 'order.acknowledge'],
  },
  pharmacist: {
    text: 'Advises on and dispenses medication',
    requireSecondFactor: false,
    permissions: [...clinical, ...breaksGlass, 'order.acknowledge'],
  },
  'unit-clerk': {
    text: 'Coordinates the unit; no orders, no emergency access',
    requireSecondFactor: false,
    permissions: clinical,
  },
  administrator: {
    text: 'Runs the system; reads no messages',
    requireSecondFactor: true,
    permissions: [
      ...oversight,
      'user.manage',
      'role.manage',
      'role.assign',
      'care-team.manage',
      'session.manage',
      'emergency-access.review',
      'alert.manage',
      'integration.manage',
      'settings.manage',
      'key.rotate',
      'import.run',
    ],
  },
  auditor: {
    text: 'Reviews what happened; changes nothing',
    requireSecondFactor: true,
    permissions: [...oversight, 'audit.export', 'audit.review'],
  },
} as const satisfies Record<
  string,
  {
    text: string /** As a new tenant has it; its administrators may change that. */
    requireSecondFactor: boolean
    permissions: readonly Permission[]
  }
>

export type SystemRole = keyof typeof systemRoles

/** The permissions of several roles together: what their union allows, and nothing else. */
export function permissionsOf(roles: Iterable<{ readonly permissions: readonly Permission[] }>): Set<Permission> {
  const held = new Set<Permission>()
  for (const role of roles) for (const permission of role.permissions) held.add(permission)
  return held
}
