import type { Action } from '../actions.ts'
import type { AllowReason, DenyCode, DenyReason } from '../decision.ts'
import { type SystemRole, systemRoles } from '../roles.ts'

/** How the asker stands to the patient or channel in question, in a world where everything else is as usual. */
export type Standing =
  /** Assigned to the patient now, until some later time. */
  | 'on-team'
  /** Assigned now, without an end. */
  | 'open-ended'
  /** Assigned from some later time. */
  | 'not-begun'
  /** Was assigned once. */
  | 'ended'
  /** Has opened emergency access, which is still running. */
  | 'emergency'
  /** Had opened emergency access, which has run out. */
  | 'lapsed'
  /** On the care team of another patient only. */
  | 'other-patient'
  /** Named as a member of the patient’s channel, but not on the care team. */
  | 'named-only'
  /** Belongs to the group, conversation or list. */
  | 'member'
  /** Is to belong to it from some later time. */
  | 'member-later'
  /** Belongs to the group about the patient, and is on the patient’s care team. */
  | 'member-on-team'
  /** No relation, and never had one; or left. */
  | 'stranger'
  /** Has every relation there is, but the account is disabled. */
  | 'disabled'
  /** Has every relation there is, but belongs to another tenant. */
  | 'other-tenant'

/** What the action is done to. Messages are in the patient’s channel unless their name says otherwise. */
export type Subject =
  | 'tenant'
  | 'audit'
  | 'patient'
  | 'patient-channel'
  | 'archived-channel'
  | 'group'
  | 'archived-group'
  | 'group-about-patient'
  | 'direct'
  | 'broadcast'
  | 'own-message'
  | 'others-message'
  | 'own-archived-message'
  | 'others-archived-message'
  | 'others-group-message'
  | 'self'
  | 'other-user'
  | 'own-session'
  | 'others-session'
  | 'held-role'
  | 'other-role'
  | 'system-role'
  | 'own-assignment'
  | 'others-assignment'
  | 'own-emergency-access'
  | 'others-emergency-access'

export type Expectation =
  | { readonly allowed: true; readonly reason: AllowReason }
  | { readonly allowed: false; readonly code: DenyCode; readonly reason: DenyReason }

/** One cell: may someone of this role who stands so do this to that? */
export interface MatrixCase {
  readonly action: Action
  readonly subject: Subject
  readonly standing: Standing
  readonly role: SystemRole
  readonly expected: Expectation
}

/**
 * The words in the cells. Capitals: allowed, and by what right. `word!`: forbidden, since the asker may know of the thing.
 * `word?`: not found, since they may not. `off`: the account is disabled, which ends all.
 */
const rights: Readonly<Record<string, AllowReason>> = {
  TEAM: 'care-team',
  EMERGENCY: 'emergency-access',
  MEMBER: 'member',
  ROLE: 'role',
  OWN: 'own',
}

const obstacles: Readonly<Record<string, DenyReason>> = {
  perm: 'no-permission',
  never: 'no-care-team',
  early: 'assignment-not-begun',
  ended: 'assignment-ended',
  lapsed: 'emergency-access-ended',
  member: 'not-a-member',
  wall: 'tenant-wall',
  kind: 'wrong-channel',
  archived: 'archived',
  sender: 'not-sender',
  mine: 'own-message',
  theirs: 'not-own',
  'own-account': 'own-account',
  'own-roles': 'own-roles',
  'own-team': 'own-care-team',
  'own-use': 'own-emergency-access',
  system: 'system-role',
}

/** For several actions on one subject: a line for each standing, a column for each role. */
export function byStanding(actions: readonly Action[], subject: Subject, table: string): MatrixCase[] {
  return read(table).flatMap(([standing, cells]) =>
    actions.flatMap((action) => cells.map((cell) => ({ action, subject, standing: standing as Standing, ...cell }))),
  )
}

/** For one subject to which one stands in no special way: a line for each action, a column for each role. */
export function byAction(subject: Subject, table: string): MatrixCase[] {
  return read(table).flatMap(([action, cells]) =>
    cells.map((cell) => ({ action: action as Action, subject, standing: 'stranger' as const, ...cell })),
  )
}

type Cell = Pick<MatrixCase, 'role' | 'expected'>

function read(table: string): [string, Cell[]][] {
  const [head, ...lines] = table
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([first]) => first !== '')
  const roles = head ?? []
  return lines.map(([name = '', ...words]) => {
    if (words.length !== roles.length) throw new Error(`Line ${name}: ${words.length} cells for ${roles.length} roles`)
    return [name, words.map((word, column) => ({ role: roleNamed(roles[column]), expected: expectation(word) }))]
  })
}

function roleNamed(name: string | undefined): SystemRole {
  if (name === undefined || !Object.hasOwn(systemRoles, name)) throw new Error(`No such role: ${name}`)
  return name as SystemRole
}

function expectation(word: string): Expectation {
  if (word === 'off') return { allowed: false, code: 'unauthenticated', reason: 'disabled' }
  const right = rights[word]
  if (right !== undefined) return { allowed: true, reason: right }
  const obstacle = obstacles[word.slice(0, -1)]
  if (obstacle === undefined || !/[!?]$/.test(word)) throw new Error(`No such cell: ${word}`)
  return { allowed: false, code: word.endsWith('!') ? 'forbidden' : 'not-found', reason: obstacle }
}
