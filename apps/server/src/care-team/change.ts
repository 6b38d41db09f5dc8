import type { assignCareTeam, CareTeamAssignment } from '@wardline/protocol'
import type { z } from 'zod'
import { auditId } from '../audit/event.ts'
import { announceMembership } from '../channels/members.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor, refuse } from '../http/decide.ts'
import type { Change } from '../storage/transaction.ts'
import { type AssignmentChange, assignToCareTeam, changeAssignment } from './assign.ts'
import { assignmentOf } from './list.ts'

/** Puts a person on a patient's care team: they see the patient and the patient's channel from `startsAt` on. @throws Refusal */
export async function addAssignment(
  ctx: Context,
  caller: Caller,
  wanted: z.infer<typeof assignCareTeam>,
): Promise<CareTeamAssignment> {
  const { tenant } = caller.actor
  const { patient, user, role, startsAt, endsAt = null } = wanted
  const about = { patient: auditId(patient), user: auditId(user) }
  const action = 'care-team.manage'
  await decideFor(ctx, caller, action, { kind: 'assignment', tenant, patient, user }, about)
  const assign = async (tx: Change) => {
    const start = startsAt === undefined ? new Date(tx.at) : new Date(startsAt)
    const end = endsAt === null ? null : new Date(endsAt)
    if (end !== null && (end <= start || end.getTime() <= tx.at))
      throw new Refusal('invalid', 'schema', { fields: ['/endsAt'] })
    await requirePeople(tx, { patient, user, role })
    await lockUser(tx, user)
    const place = { patientId: patient, userId: user, role, startsAt: start, endsAt: end }
    if (await overlaps(tx, place)) throw new Refusal('conflict', 'conflict')
    return { ...place, ...(await assignToCareTeam(tx, { ...place, by: caller.trail })) }
  }
  const result = await ctx.database.withTenant(tenant, assign).catch((error: unknown) => {
    if (error instanceof Refusal) return refuse(ctx, caller, error, action, about)
    throw error
  })
  await announce(ctx, tenant, user, result)
  return assignmentOf(result)
}

/** Ends an assignment now; one that has not begun never will. What was read is not taken back, nothing more follows. */
export async function endAssignment(ctx: Context, caller: Caller, id: string): Promise<void> {
  const { tenant } = caller.actor
  const action = 'care-team.manage'
  const where = { tenantId_id: { tenantId: tenant, id } }
  const there = await ctx.database.readTenant(tenant, (db) => db.careTeam.findUnique({ where }))
  if (there === null) {
    return refuse(ctx, caller, new Refusal('not-found', 'not-found'), action, { assignment: auditId(id) })
  }
  const { patientId, userId } = there
  const about = { assignment: auditId(id), patient: auditId(patientId), user: auditId(userId) }
  await decideFor(ctx, caller, action, { kind: 'assignment', tenant, patient: patientId, user: userId }, about)
  const changed = await ctx.database.withTenant(tenant, async (tx) => {
    await lockUser(tx, userId)
    const { role, startsAt, endsAt } = await tx.db.careTeam.findUniqueOrThrow({ where })
    if (endsAt !== null && (endsAt.getTime() <= tx.at || endsAt <= startsAt)) {
      tx.audit({ ...caller.trail, ...about, action: 'care-team.end', outcome: 'repeated', reason: 'repeated' })
      return null
    }
    const end = new Date(Math.max(tx.at, startsAt.getTime()))
    return changeAssignment(tx, { id, patientId, userId, role, startsAt, endsAt: end, by: caller.trail })
  })
  if (changed !== null) await announce(ctx, tenant, userId, changed)
}

async function announce(
  ctx: Context,
  tenant: string,
  user: string,
  { version, channel }: AssignmentChange,
): Promise<void> {
  const heads = channel === null ? [] : [{ channel: channel.id, seq: channel.head }]
  await announceMembership(ctx.gateway, tenant, { heads, users: [{ user, version }] })
}

/** Patient, person and role have to be there, and the role be one that this person holds and that cares for patients. */
async function requirePeople(
  { db, tenantId }: Change,
  { patient, user, role }: { patient: string; user: string; role: string },
): Promise<void> {
  if ((await db.patient.count({ where: { tenantId, id: patient, archivedAt: null } })) === 0) {
    throw new Refusal('not-found', 'not-found', { fields: ['/patient'] })
  }
  if ((await db.user.count({ where: { tenantId, id: user, disabledAt: null } })) === 0) {
    throw new Refusal('not-found', 'not-found', { fields: ['/user'] })
  }
  const caring = { name: role, permissions: { some: { permission: 'patient.read' } } }
  if ((await db.userRole.count({ where: { tenantId, userId: user, role: caring } })) === 0) {
    throw new Refusal('conflict', 'no-permission', { fields: ['/role'] })
  }
}

/** Two who assign the same person come one after the other: who writes to the row first holds it. */
async function lockUser({ db, tenantId }: Change, id: string): Promise<void> {
  await db.user.update({ where: { tenantId_id: { tenantId, id } }, data: { version: { increment: 1 } } })
}

/** The same place twice would have to be ended twice. */
async function overlaps(
  { db, tenantId }: Change,
  place: { patientId: string; userId: string; role: string; startsAt: Date; endsAt: Date | null },
): Promise<boolean> {
  const { patientId, userId, role, startsAt, endsAt } = place
  const found = await db.careTeam.findMany({
    where: {
      tenantId,
      patientId,
      userId,
      role,
      ...(endsAt === null ? {} : { startsAt: { lt: endsAt } }),
      OR: [{ endsAt: null }, { endsAt: { gt: startsAt } }],
    },
  })
  // One that was ended before it began covers no time.
  return found.some((each) => each.endsAt === null || each.endsAt > each.startsAt)
}
