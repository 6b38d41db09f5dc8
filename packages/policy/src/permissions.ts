/**
 * The closed list of what a role may be given. A permission says *which verb*; which patient, channel or person it reaches is
 * decided afresh each time by `decide` (45 CFR 164.308(a)(4): access by role; 164.312(a)(1): only those granted it; R-30).
 *
 * `scope` is the family of token scopes that covers the permission (scopes.ts). Reading for oversight is `audit`, changing is
 * `admin`: so a role whose permissions are all `audit` changes nothing. `text` is what the role screen shows.
 */
export const permissions = {
  'directory.read': { scope: 'account', text: 'Look up people and roles of the organisation' },

  'patient.read': { scope: 'clinical', text: 'See the patients in one’s care' },
  'patient.look-up': { scope: 'clinical', text: 'Find a patient by exact identifiers, to ask for emergency access' },
  'channel.read': { scope: 'clinical', text: 'Read the conversations that one belongs to' },
  'channel.create-direct': { scope: 'clinical', text: 'Open a conversation with another person' },
  'channel.create-group': { scope: 'clinical', text: 'Open a group' },
  'channel.manage': { scope: 'clinical', text: 'Name and archive a group, add and remove its members' },
  'message.post': { scope: 'clinical', text: 'Write messages' },
  'message.broadcast': { scope: 'clinical', text: 'Write to broadcast lists' },
  'message.acknowledge': { scope: 'clinical', text: 'Acknowledge messages of others' },
  'message.correct': { scope: 'clinical', text: 'Correct one’s own messages' },
  'message.recall': { scope: 'clinical', text: 'Recall one’s own messages' },
  'receipt.mark': { scope: 'clinical', text: 'Have what one has read shown to others' },
  'typing.set': { scope: 'clinical', text: 'Show that one is typing' },
  'presence.set': { scope: 'clinical', text: 'Set one’s availability and cover' },
  'order.write': { scope: 'clinical', text: 'Write orders about patients in one’s care' },
  'order.acknowledge': { scope: 'clinical', text: 'Read back and acknowledge orders' },
  'emergency-access.open': { scope: 'clinical', text: 'Open emergency access to a patient' },

  'user.read': { scope: 'audit', text: 'See accounts with their roles and status' },
  'role.read': { scope: 'audit', text: 'See what each role may do' },
  'care-team.read': { scope: 'audit', text: 'See who is assigned to which patient' },
  'session.read': { scope: 'audit', text: 'See sessions and devices of others' },
  'connection.read': { scope: 'audit', text: 'See open connections' },
  'emergency-access.read': { scope: 'audit', text: 'See uses of emergency access' },
  'alert.read': { scope: 'audit', text: 'See security alerts' },
  'integration.read': { scope: 'audit', text: 'See service accounts and their scopes' },
  'settings.read': { scope: 'audit', text: 'See settings' },
  'key.read': { scope: 'audit', text: 'See which keys are in use, never the keys' },
  'audit.read': { scope: 'audit', text: 'Read the audit log' },
  'audit.export': { scope: 'audit', text: 'Export the audit log' },
  'audit.review': { scope: 'audit', text: 'Sign off a periodic review of the audit log' },

  'user.manage': { scope: 'admin', text: 'Create, change and disable accounts of others' },
  'role.manage': { scope: 'admin', text: 'Create and change roles that one does not hold' },
  'role.assign': { scope: 'admin', text: 'Give roles to others and take them away' },
  'care-team.manage': { scope: 'admin', text: 'Assign others to patients' },
  'session.manage': { scope: 'admin', text: 'End sessions and revoke devices of others' },
  'emergency-access.review': { scope: 'admin', text: 'Decide on uses of emergency access by others' },
  'alert.manage': { scope: 'admin', text: 'Acknowledge and close security alerts' },
  'integration.manage': { scope: 'admin', text: 'Create service accounts and set their scopes' },
  'settings.manage': { scope: 'admin', text: 'Change settings' },
  'key.rotate': { scope: 'admin', text: 'Rotate keys' },
  'import.run': { scope: 'admin', text: 'Import patients, staff and care teams' },
} as const satisfies Record<string, { scope: ScopeFamily; text: string }>

/** A broad token scope: one’s own things, clinical work, reading for oversight, administrative change. */
export type ScopeFamily = 'account' | 'clinical' | 'audit' | 'admin'

export type Permission = keyof typeof permissions

export const allPermissions = Object.keys(permissions) as readonly Permission[]

/** Whether it reaches beyond one's own work, to oversee or to administer: the account of who holds one is worth taking over. */
export function isPrivileged(permission: Permission): boolean {
  const family: ScopeFamily = permissions[permission].scope
  return family === 'audit' || family === 'admin'
}

/** Whether `text` names a permission: for role definitions that arrive from outside. */
export function isPermission(text: string): text is Permission {
  return Object.hasOwn(permissions, text)
}
