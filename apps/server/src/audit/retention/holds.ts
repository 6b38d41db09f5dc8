import { randomUUID } from 'node:crypto'
import type { AuditHold, placeAuditHold } from '@wardline/protocol'
import type { z } from 'zod'
import type { Context } from '../../context.ts'
import { Refusal } from '../../errors.ts'
import type { Caller } from '../../http/caller.ts'
import { decideFor, refuse } from '../../http/decide.ts'
import { auditId } from '../event.ts'
import { namesOf } from '../view.ts'

/** Holds that are listed; those in force come first. */
const LISTED = 500

type Row = {
  readonly id: string
  readonly patientId: string | null
  readonly placedBy: string
  readonly placedAt: Date
  readonly releasedBy: string | null
  readonly releasedAt: Date | null
}

/** What must be kept, whatever its age: in force first, then what was released. @throws Refusal */
export async function listHolds(ctx: Context, caller: Caller): Promise<{ items: AuditHold[] }> {
  const { tenant: tenantId } = caller.actor
  const action = 'audit.read'
  const { reason } = await decideFor(ctx, caller, action, { kind: 'audit', tenant: tenantId })
  const rows = await ctx.database.readTenant(tenantId, (db) =>
    db.auditHold.findMany({
      where: { tenantId },
      orderBy: [{ releasedAt: { sort: 'desc', nulls: 'first' } }, { placedAt: 'desc' }],
      take: LISTED,
    }),
  )
  await ctx.database.auditOnly(tenantId, { ...caller.trail, action, outcome: 'allowed', reason, count: rows.length })
  return { items: await shown(ctx, tenantId, rows) }
}

/** Keeps everything of the organisation, or all that is about one patient, until it is released. @throws Refusal */
export async function placeHold(
  ctx: Context,
  caller: Caller,
  { patient }: z.infer<typeof placeAuditHold>,
): Promise<AuditHold> {
  const { tenant: tenantId, user: placedBy } = caller.actor
  const action = 'audit.hold'
  const about = patient === null ? {} : { patient: auditId(patient) }
  const { reason } = await decideFor(ctx, caller, 'settings.manage', { kind: 'tenant', tenant: tenantId }, about)
  const row = await ctx.database.withTenant(tenantId, async (tx) => {
    if (patient !== null && (await tx.db.patient.count({ where: { tenantId, id: patient } })) === 0) {
      return refuse(ctx, caller, new Refusal('not-found', 'not-found'), action, about)
    }
    const id = randomUUID()
    tx.audit({ ...caller.trail, ...about, action, outcome: 'allowed', reason, hold: auditId(id) })
    return tx.db.auditHold.create({ data: { tenantId, id, patientId: patient, placedBy, placedAt: new Date(tx.at) } })
  })
  const [hold] = await shown(ctx, tenantId, [row])
  return hold as AuditHold
}

/** What was held may go again when its time comes. Once. @throws Refusal */
export async function releaseHold(ctx: Context, caller: Caller, id: string): Promise<void> {
  const { tenant: tenantId, user: releasedBy } = caller.actor
  const action = 'audit.hold-release'
  const about = { hold: auditId(id) }
  const { reason } = await decideFor(ctx, caller, 'settings.manage', { kind: 'tenant', tenant: tenantId }, about)
  await ctx.database.withTenant(tenantId, async (tx) => {
    const where = { tenantId, id, releasedAt: null }
    const { count } = await tx.db.auditHold.updateMany({ where, data: { releasedBy, releasedAt: new Date(tx.at) } })
    if (count === 0) return refuse(ctx, caller, new Refusal('not-found', 'not-found'), action, about)
    tx.audit({ ...caller.trail, ...about, action, outcome: 'allowed', reason })
  })
}

async function shown(ctx: Pick<Context, 'database'>, tenantId: string, rows: readonly Row[]): Promise<AuditHold[]> {
  const names = await namesOf(
    ctx,
    tenantId,
    rows.flatMap(({ placedBy, releasedBy }) => [placedBy, releasedBy]),
  )
  const person = (id: string) => ({ id, displayName: names.get(id) ?? null })
  return rows.map(({ id, patientId, placedBy, placedAt, releasedBy, releasedAt }) => ({
    id,
    patient: patientId,
    placedBy: person(placedBy),
    placedAt: placedAt.toISOString(),
    releasedBy: releasedBy === null ? null : person(releasedBy),
    releasedAt: releasedAt?.toISOString() ?? null,
  }))
}
