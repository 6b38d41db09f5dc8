import type { AlertSettings } from '@wardline/protocol'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor } from '../http/decide.ts'
import type { TenantDb } from '../storage/transaction.ts'
import { minuteOfDay } from './hours.ts'

/** When the tenant's administrators work. @throws Refusal */
export async function readAlertSettings(ctx: Context, caller: Caller): Promise<AlertSettings> {
  const { tenant } = caller.actor
  const action = 'settings.read'
  const { reason } = await decideFor(ctx, caller, action, { kind: 'tenant', tenant })
  const settings = await ctx.database.readTenant(tenant, (db) => settingsOf(db, tenant))
  await ctx.database.auditOnly(tenant, { ...caller.trail, action, outcome: 'allowed', reason })
  return settings
}

/** Sets when the tenant's administrators work; the next reading of the log goes by it. @throws Refusal */
export async function changeAlertSettings(
  ctx: Context,
  caller: Caller,
  { workingHours }: AlertSettings,
): Promise<AlertSettings> {
  const { tenant } = caller.actor
  const action = 'settings.manage'
  await decideFor(ctx, caller, action, { kind: 'tenant', tenant })
  if (workingHours !== null && !isZone(workingHours.zone)) {
    throw new Refusal('invalid', 'schema', { fields: ['/workingHours/zone'] })
  }
  return ctx.database.withTenant(tenant, async (tx) => {
    const { db, tenantId } = tx
    const { zone = null, from = null, until = null } = workingHours ?? {}
    const data = { zone, fromMinute: from, untilMinute: until, changedAt: new Date(tx.at) }
    await db.alertSettings.upsert({ where: { tenantId }, create: { tenantId, ...data }, update: data })
    tx.audit({ ...caller.trail, action, outcome: 'allowed' })
    return settingsOf(db, tenantId)
  })
}

async function settingsOf(db: TenantDb, tenantId: string): Promise<AlertSettings> {
  const row = await db.alertSettings.findUnique({ where: { tenantId } })
  const { zone = null, fromMinute: from = null, untilMinute: until = null } = row ?? {}
  return { workingHours: zone === null || from === null || until === null ? null : { zone, from, until } }
}

function isZone(zone: string): boolean {
  try {
    minuteOfDay(0, zone)
    return true
  } catch {
    return false
  }
}
