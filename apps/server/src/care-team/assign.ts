import { randomUUID } from 'node:crypto'
import { auditId, auditRole, auditTime } from '../audit/event.ts'
import type { Change } from '../storage/transaction.ts'

export type NewAssignment = {
  readonly tenantId: string
  readonly patientId: string
  readonly userId: string
  /** The role in which this person cares for the patient. */
  readonly role: string
  readonly startsAt: Date
  readonly endsAt: Date | null
  readonly externalDigest?: Uint8Array<ArrayBuffer>
  readonly actor: string
}

/** Puts a person on a patient's care team from `startsAt` up to, not including, `endsAt`. */
export async function assignToCareTeam(tx: Change, assignment: NewAssignment): Promise<string> {
  const { tenantId, patientId, userId, role, startsAt, endsAt, actor } = assignment
  const id = randomUUID()
  await tx.db.careTeam.create({
    data: {
      tenantId,
      id,
      patientId,
      userId,
      role,
      startsAt,
      endsAt,
      assignedBy: actor,
      externalDigest: assignment.externalDigest ?? null,
    },
  })
  await changedAccess(tx, tenantId, userId)
  tx.audit({
    action: 'care-team.assign',
    outcome: 'allowed',
    actor: auditId(actor),
    patient: auditId(patientId),
    user: auditId(userId),
    assignment: auditId(id),
    role: auditRole(role),
    ...(endsAt ? { until: auditTime(endsAt.getTime()) } : {}),
  })
  return id
}

/** Moves the period of an assignment. */
export async function changeAssignment(
  tx: Change,
  assignment: {
    tenantId: string
    id: string
    patientId: string
    userId: string
    startsAt: Date
    endsAt: Date | null
    actor: string
  },
): Promise<void> {
  const { tenantId, id, patientId, userId, startsAt, endsAt, actor } = assignment
  await tx.db.careTeam.update({ where: { tenantId_id: { tenantId, id } }, data: { startsAt, endsAt } })
  await changedAccess(tx, tenantId, userId)
  tx.audit({
    action: endsAt && endsAt.getTime() <= tx.at ? 'care-team.end' : 'care-team.assign',
    outcome: 'allowed',
    actor: auditId(actor),
    patient: auditId(patientId),
    user: auditId(userId),
    assignment: auditId(id),
    ...(endsAt ? { until: auditTime(endsAt.getTime()) } : {}),
  })
}

/** What a user may do has changed: nodes that hold a snapshot of them load it anew. */
async function changedAccess(tx: Change, tenantId: string, userId: string): Promise<void> {
  await tx.db.user.update({ where: { tenantId_id: { tenantId, id: userId } }, data: { version: { increment: 1 } } })
}
