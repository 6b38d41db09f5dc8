export { abilities, channelAbilities } from './abilities.ts'
export type { Action, ActionResources } from './actions.ts'
export {
  type Actor,
  type ActorAccess,
  type ActorCredentials,
  type Assignment,
  type AssuranceLevel,
  assuranceLevels,
  type PolicyContext,
  type PolicySettings,
  type StepUpPolicy,
} from './actor.ts'
export { decide } from './decide.ts'
export type { Allowed, AllowReason, Decision, DecisionReason, Denied, DenyCode, DenyReason } from './decision.ts'
export {
  allPermissions,
  isPermission,
  isPrivileged,
  type Permission,
  permissions,
  type ScopeFamily,
} from './permissions.ts'
export type {
  AssignmentResource,
  AuditResource,
  ChannelResource,
  EmergencyAccessResource,
  MessageResource,
  PatientResource,
  Resource,
  RoleResource,
  SessionResource,
  TenantResource,
  UserResource,
} from './resources.ts'
export { permissionsOf, type SystemRole, systemRoles } from './roles.ts'
export { isScopeClaim, MAX_SCOPE_LENGTH, noScopes, parseScopes, personScopes, type Scopes } from './scopes.ts'
export { highRiskActions, withoutStepUp, withStepUp } from './step-up.ts'
