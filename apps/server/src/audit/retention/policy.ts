import type { AuditPolicy, changeAuditPolicy } from '@wardline/protocol'
import type { z } from 'zod'
import type { Context } from '../../context.ts'
import type { Caller } from '../../http/caller.ts'
import { decideFor } from '../../http/decide.ts'
import type { TenantDb } from '../../storage/transaction.ts'

/** Where a tenant has said nothing: six years (45 CFR 164.316(b)(2)(i)), and a review each month. */
const DEFAULTS: AuditPolicy = { retentionYears: 6, reviewDays: 30 }

/** What holds for a tenant. */
export async function policyOf(db: TenantDb, tenantId: string): Promise<AuditPolicy> {
  const row = await db.auditPolicy.findUnique({ where: { tenantId } })
  return row === null ? DEFAULTS : { retentionYears: row.retentionYears, reviewDays: row.reviewDays }
}

/** @throws Refusal */
export async function showPolicy(ctx: Context, caller: Caller): Promise<AuditPolicy> {
  const { tenant } = caller.actor
  const action = 'audit.read'
  const { reason } = await decideFor(ctx, caller, action, { kind: 'audit', tenant })
  const policy = await ctx.database.readTenant(tenant, (db) => policyOf(db, tenant))
  await ctx.database.auditOnly(tenant, { ...caller.trail, action, outcome: 'allowed', reason })
  return policy
}

/** For how long the audit is kept, and how often it is to be reviewed: an event for each that is said, with its value. @throws Refusal */
export async function changePolicy(
  ctx: Context,
  caller: Caller,
  changes: z.infer<typeof changeAuditPolicy>,
): Promise<AuditPolicy> {
  const { tenant: tenantId } = caller.actor
  await decideFor(ctx, caller, 'settings.manage', { kind: 'tenant', tenant: tenantId })
  return ctx.database.withTenant(tenantId, async (tx) => {
    const before = await policyOf(tx.db, tenantId)
    const policy: AuditPolicy = {
      retentionYears: changes.retentionYears ?? before.retentionYears,
      reviewDays: changes.reviewDays ?? before.reviewDays,
    }
    await tx.db.auditPolicy.upsert({ where: { tenantId }, create: { tenantId, ...policy }, update: policy })
    const fact = { ...caller.trail, action: 'audit.policy', outcome: 'allowed' } as const
    const { retentionYears, reviewDays } = changes
    if (retentionYears !== undefined) tx.audit({ ...fact, reason: 'setting-retention-years', count: retentionYears })
    if (reviewDays !== undefined) tx.audit({ ...fact, reason: 'setting-review-days', count: reviewDays })
    return policy
  })
}
