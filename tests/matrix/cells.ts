import type { ErrorCode } from '@wardline/protocol'
import type { Action } from '../../packages/policy/src/index.ts'
import { type MatrixCase, matrix, type Standing, type Subject } from '../../packages/policy/src/matrix/index.ts'
import { calls } from './calls.ts'
import { frames, onlyOf } from './frames.ts'

/** What the table speaks of and no transport offers yet, and why. Who builds it takes it out here; the tests then ask for it. */
export const NOT_OFFERED: Partial<Record<Action, string>> = {
  'patient.look-up': 'emergency access is not built',
  'emergency-access.open': 'emergency access is not built',
  'emergency-access.close': 'emergency access is not built',
  'emergency-access.read': 'emergency access is not built',
  'emergency-access.review': 'emergency access is not built',
  'channel.manage': 'groups are opened, and not yet changed',
  'order.write': 'orders are not built',
  'order.acknowledge': 'orders are not built',
  'role.manage': 'roles are as seeded',
  'import.run': 'the command line’s',
}

/** Subjects of offered actions that no call or frame can name, and why. */
export const NOT_NAMED: Readonly<Record<string, string>> = {
  'account.read other-user': 'a call of /me names nobody',
  'account.change other-user': 'a call of /me names nobody',
  'presence.set other-user': 'the frame names nobody',
  'directory.read self': 'the directory is asked for as a whole',
  'directory.read other-user': 'the directory is asked for as a whole',
  'user.read self': 'accounts are listed as a whole',
  'user.read other-user': 'accounts are listed as a whole',
  'role.read held-role': 'roles are listed as a whole',
  'role.read other-role': 'roles are listed as a whole',
  'role.read system-role': 'roles are listed as a whole',
  'care-team.read patient': 'a filter of the whole list, which is what policy is asked for',
  'care-team.read own-assignment': 'assignments are listed as a whole',
  'care-team.read others-assignment': 'assignments are listed as a whole',
  'session.read own-session': 'sessions are listed as a whole',
  'session.read others-session': 'sessions are listed as a whole',
}

/** Subjects that the database does not hold: its check says that a group is about no patient. */
const NOT_THERE: ReadonlySet<Subject> = new Set<Subject>(['group-about-patient'])

/** Emergency access is not in the database yet. */
const NOT_STANDING: ReadonlySet<Standing> = new Set<Standing>(['emergency', 'lapsed'])

/** The tenant comes from the token, and what is one's own with it: a call cannot name those of another. */
const WITHIN: ReadonlySet<Subject> = new Set<Subject>(['tenant', 'audit', 'self', 'own-session', 'own-assignment'])

export type Transport = 'http' | 'socket'

/** How cells are named in a failure. */
export const nameOf = ({ role, standing, action, subject }: MatrixCase) => `${role} ${standing} ${action} ${subject}`

export const actionsOfFrames: ReadonlySet<Action> = new Set(
  Object.values(frames).flatMap((each) => (typeof each === 'string' ? [] : [each.action])),
)

/** The cells that can be asked over this transport, by action. */
export function cellsOver(transport: Transport): Map<Action, MatrixCase[]> {
  return Map.groupBy(
    matrix.filter((each) => isAsked(transport, each)),
    ({ action }) => action,
  )
}

/** Why a cell cannot be asked at all; null where it can. */
export function notAsked({ action, subject, standing }: MatrixCase): string | null {
  const why = NOT_OFFERED[action] ?? NOT_NAMED[`${action} ${subject}`]
  if (why !== undefined) return why
  if (NOT_THERE.has(subject)) return 'the database holds none'
  if (NOT_STANDING.has(standing)) return 'nobody can stand so yet'
  return standing === 'other-tenant' && WITHIN.has(subject) ? 'the tenant is the token’s' : null
}

function isAsked(transport: Transport, cell: MatrixCase): boolean {
  if (notAsked(cell) !== null) return false
  const { action, subject } = cell
  if (transport === 'http') return calls[action]?.[subject] !== undefined
  return actionsOfFrames.has(action) && (onlyOf[action] ?? subject) === subject
}

export type Answer = ErrorCode | 'allowed'

const cells = new Map(matrix.map((each) => [nameOf(each), each]))

/** The cell of the same asker and subject for another action, or standing. */
export function cellLike(cell: MatrixCase, other: Partial<MatrixCase>): MatrixCase | undefined {
  return cells.get(nameOf({ ...cell, ...other }))
}

/**
 * What may be answered. Of another tenant's things the server sees nothing, not even that they are another's: the answer is that of an
 * id of nothing, which is `not-found`, or what a stranger of the same role is told before anything is looked for.
 */
export function answersTo(cell: MatrixCase): readonly Answer[] {
  if (cell.expected.allowed) return ['allowed']
  if (cell.standing !== 'other-tenant') return [cell.expected.code]
  const stranger = cellLike(cell, { standing: 'stranger' })?.expected
  return stranger === undefined || stranger.allowed ? ['not-found'] : ['not-found', stranger.code]
}
