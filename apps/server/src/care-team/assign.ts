import { randomUUID } from 'node:crypto'
import type { By } from '../audit/by.ts'
import { auditId, auditRole, auditTime } from '../audit/event.ts'
import { membershipEvent } from '../channels/membership.ts'
import type { Change } from '../storage/transaction.ts'

/** A place on a patient's care team, from `startsAt` up to, not including, `endsAt`. */
type Place = {
  readonly patientId: string
  readonly userId: string
  /** The role in which this person cares for the patient. */
  readonly role: string
  readonly startsAt: Date
  readonly endsAt: Date | null
}

export type NewAssignment = Place & { readonly externalDigest?: Uint8Array<ArrayBuffer>; readonly by: By }

/** What other nodes are to be told of once it is committed. */
export type AssignmentChange = {
  readonly id: string
  /** The user's new version. */
  readonly version: number
  /** The patient's channel and its head, where somebody came or went now. */
  readonly channel: { readonly id: string; readonly head: number } | null
}

/** Puts a person on a patient's care team. */
export async function assignToCareTeam(tx: Change, assignment: NewAssignment): Promise<AssignmentChange> {
  const { tenantId } = tx
  const { by, externalDigest = null, ...place } = assignment
  const id = randomUUID()
  const was = await isInCare(tx, place)
  await tx.db.careTeam.create({ data: { tenantId, id, ...place, assignedBy: by.actor, externalDigest } })
  auditPlace(tx, 'care-team.assign', id, place, by)
  return changed(tx, id, place, was, by)
}

/** Moves the period of an assignment, or ends it. */
export async function changeAssignment(
  tx: Change,
  assignment: Place & { readonly id: string; readonly by: By },
): Promise<AssignmentChange> {
  const { tenantId } = tx
  const { id, by, ...place } = assignment
  const { startsAt, endsAt } = place
  const was = await isInCare(tx, place)
  await tx.db.careTeam.update({ where: { tenantId_id: { tenantId, id } }, data: { startsAt, endsAt } })
  auditPlace(tx, endsAt !== null && endsAt.getTime() <= tx.at ? 'care-team.end' : 'care-team.assign', id, place, by)
  return changed(tx, id, place, was, by)
}

function auditPlace(tx: Change, action: 'care-team.assign' | 'care-team.end', id: string, place: Place, by: By): void {
  const { patientId, userId, role, endsAt } = place
  tx.audit({
    ...by,
    action,
    outcome: 'allowed',
    patient: auditId(patientId),
    user: auditId(userId),
    assignment: auditId(id),
    role: auditRole(role),
    ...(endsAt ? { until: auditTime(endsAt.getTime()) } : {}),
  })
}

/** What a user may do has changed, so nodes that hold a snapshot of them load it anew; and the team reads who came or went. */
async function changed(tx: Change, id: string, place: Place, was: boolean, by: By): Promise<AssignmentChange> {
  const { tenantId, db } = tx
  const { patientId, userId, role } = place
  const { version } = await db.user.update({
    where: { tenantId_id: { tenantId, id: userId } },
    data: { version: { increment: 1 } },
    select: { version: true },
  })
  const is = await isInCare(tx, place)
  const channel =
    was === is
      ? null
      : await db.channel.findFirst({ where: { tenantId, patientId, kind: 'patient', archivedAt: null } })
  if (channel === null) return { id, version, channel: null }
  const type = is ? 'member.joined' : 'member.left'
  const [event] = await tx.append([membershipEvent(type, { channelId: channel.id, patientId, userId, role, by })])
  return { id, version, channel: event?.verdict === 'accepted' ? { id: channel.id, head: event.seq } : null }
}

/** By this assignment or another: two that overlap are one stay. */
async function isInCare({ db, tenantId, at }: Change, { patientId, userId }: Place): Promise<boolean> {
  const now = new Date(at)
  const inForce = { startsAt: { lte: now }, OR: [{ endsAt: null }, { endsAt: { gt: now } }] }
  return (await db.careTeam.count({ where: { tenantId, patientId, userId, ...inForce } })) > 0
}
