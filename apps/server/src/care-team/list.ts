import type { CareTeamAssignment } from '@wardline/protocol'
import { auditId } from '../audit/event.ts'
import type { Context } from '../context.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor } from '../http/decide.ts'
import { cursorId, type Page, type PageRequest, pageWithMore } from '../http/page.ts'

type Row = {
  readonly id: string
  readonly patientId: string
  readonly userId: string
  readonly role: string
  readonly startsAt: Date
  readonly endsAt: Date | null
}

export function assignmentOf({ id, patientId, userId, role, startsAt, endsAt }: Row): CareTeamAssignment {
  return {
    id,
    patient: patientId,
    user: userId,
    role,
    startsAt: startsAt.toISOString(),
    endsAt: endsAt?.toISOString() ?? null,
  }
}

/** Who is, was and will be on which care team, the latest start first; of one patient or one person where asked so. */
export async function listCareTeam(
  ctx: Context,
  caller: Caller,
  {
    limit,
    cursor,
    patient,
    user,
  }: PageRequest & { readonly patient?: string | undefined; readonly user?: string | undefined },
): Promise<Page<CareTeamAssignment>> {
  const tenantId = caller.actor.tenant
  const about = {
    ...(patient === undefined ? {} : { patient: auditId(patient) }),
    ...(user === undefined ? {} : { user: auditId(user) }),
  }
  const action = 'care-team.read'
  const { reason } = await decideFor(ctx, caller, action, { kind: 'tenant', tenant: tenantId }, about)
  const rows = await ctx.database.readTenant(tenantId, (db) =>
    db.careTeam.findMany({
      where: {
        tenantId,
        ...(patient === undefined ? {} : { patientId: patient }),
        ...(user === undefined ? {} : { userId: user }),
      },
      orderBy: [{ startsAt: 'desc' }, { id: 'asc' }],
      take: limit + 1,
      ...(cursor === undefined ? {} : { cursor: { tenantId_id: { tenantId, id: cursorId(cursor) } }, skip: 1 }),
    }),
  )
  const page = pageWithMore(rows.map(assignmentOf), limit, ({ id }) => id)
  const count = page.items.length
  await ctx.database.auditOnly(tenantId, { ...caller.trail, ...about, action, outcome: 'allowed', reason, count })
  return page
}
