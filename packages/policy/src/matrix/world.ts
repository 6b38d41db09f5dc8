import type { Actor, ActorAccess } from '../actor.ts'
import type { ChannelResource, MessageResource, Resource } from '../resources.ts'
import { type SystemRole, systemRoles } from '../roles.ts'
import { parseScopes, personScopes } from '../scopes.ts'
import type { Standing, Subject } from './table.ts'

/** When everything in this small world is asked, milliseconds of the epoch; a shift is from an hour before to an hour after. */
export const NOW = Date.UTC(2026, 10, 22, 12)
const HOUR = 3_600_000

const tenant = '10000000-0000-4000-8000-000000000001'
const elsewhere = '10000000-0000-4000-8000-000000000002'
const me = '20000000-0000-4000-8000-000000000001'
const colleague = '20000000-0000-4000-8000-000000000002'
const patient = '30000000-0000-4000-8000-000000000001'
const anotherPatient = '30000000-0000-4000-8000-000000000002'

/** Not a system role: what a hospital has made for itself, and the actor holds as well. It gives nothing. */
const heldRole = 'night-lead'

function channel(
  id: string,
  channelKind: ChannelResource['channelKind'],
  about: string | null = null,
): ChannelResource {
  return { kind: 'channel', tenant, id: `40000000-0000-4000-8000-${id}`, channelKind, patient: about, archived: false }
}

function message(inChannel: ChannelResource, sender: string): MessageResource {
  return { kind: 'message', tenant, id: '50000000-0000-4000-8000-000000000001', sender, channel: inChannel }
}

const patientChannel = channel('000000000001', 'patient', patient)
const group = channel('000000000002', 'group')
const groupAboutPatient = channel('000000000003', 'group', patient)
const direct = channel('000000000004', 'direct')
const broadcast = channel('000000000005', 'broadcast')
const archivedChannel: ChannelResource = { ...patientChannel, archived: true }

/** The matrix’s subjects as resources of the actor’s tenant. */
export const subjects: Readonly<Record<Subject, Resource>> = {
  tenant: { kind: 'tenant', tenant },
  audit: { kind: 'audit', tenant },
  patient: { kind: 'patient', tenant, id: patient },
  'patient-channel': patientChannel,
  'archived-channel': archivedChannel,
  group,
  'archived-group': { ...group, archived: true },
  'group-about-patient': groupAboutPatient,
  direct,
  broadcast,
  'own-message': message(patientChannel, me),
  'others-message': message(patientChannel, colleague),
  'own-archived-message': message(archivedChannel, me),
  'others-archived-message': message(archivedChannel, colleague),
  'others-group-message': message(group, colleague),
  self: { kind: 'user', tenant, id: me },
  'other-user': { kind: 'user', tenant, id: colleague },
  'own-session': { kind: 'session', tenant, owner: me },
  'others-session': { kind: 'session', tenant, owner: colleague },
  'held-role': { kind: 'role', tenant, name: heldRole, system: false },
  'other-role': { kind: 'role', tenant, name: 'infection-control', system: false },
  'system-role': { kind: 'role', tenant, name: 'nurse', system: true },
  'own-assignment': { kind: 'assignment', tenant, patient, user: me },
  'others-assignment': { kind: 'assignment', tenant, patient, user: colleague },
  'own-emergency-access': { kind: 'emergency-access', tenant, patient, user: me },
  'others-emergency-access': { kind: 'emergency-access', tenant, patient, user: colleague },
}

type Relations = Partial<Pick<ActorAccess, 'tenant' | 'status' | 'careTeam' | 'memberships' | 'emergencyAccess'>>

const onTeam = new Map([[patient, [{ startsAt: NOW - HOUR, endsAt: NOW + HOUR }]]])
const memberOfAll = new Map(
  [group, groupAboutPatient, direct, broadcast].map(({ id }) => [id, { joinedAt: NOW - HOUR }]),
)
const emergency = new Map([[patient, { until: NOW + HOUR }]])

const standings: Readonly<Record<Standing, Relations>> = {
  'on-team': { careTeam: onTeam },
  'open-ended': { careTeam: new Map([[patient, [{ startsAt: NOW - HOUR, endsAt: null }]]]) },
  'not-begun': { careTeam: new Map([[patient, [{ startsAt: NOW + 1, endsAt: NOW + HOUR }]]]) },
  ended: { careTeam: new Map([[patient, [{ startsAt: NOW - HOUR, endsAt: NOW }]]]) },
  emergency: { emergencyAccess: emergency },
  lapsed: { emergencyAccess: new Map([[patient, { until: NOW }]]) },
  'other-patient': { careTeam: new Map([[anotherPatient, [{ startsAt: NOW - HOUR, endsAt: null }]]]) },
  'named-only': { memberships: new Map([[patientChannel.id, { joinedAt: NOW - HOUR }]]) },
  member: { memberships: memberOfAll },
  'member-later': { memberships: new Map([...memberOfAll.keys()].map((id) => [id, { joinedAt: NOW + 1 }])) },
  'member-on-team': { careTeam: onTeam, memberships: memberOfAll },
  stranger: {},
  disabled: { status: 'disabled', careTeam: onTeam, memberships: memberOfAll, emergencyAccess: emergency },
  'other-tenant': { tenant: elsewhere, careTeam: onTeam, memberships: memberOfAll, emergencyAccess: emergency },
}

/** A person of this role who stands so, signed in an hour ago with two factors and the full scopes of the role. */
export function actorOf(role: SystemRole, standing: Standing): Actor {
  const { permissions } = systemRoles[role]
  return {
    tenant,
    user: me,
    kind: 'person',
    status: 'active',
    roles: new Set([role, heldRole]),
    permissions: new Set(permissions),
    careTeam: new Map(),
    memberships: new Map(),
    emergencyAccess: new Map(),
    scopes: parseScopes(personScopes(permissions)),
    authTime: NOW - HOUR,
    acr: 'aal2',
    mtls: false,
    ...standings[standing],
  }
}
