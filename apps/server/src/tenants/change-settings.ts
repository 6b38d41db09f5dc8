import { changeTenantSettings, type RiskAnswer, riskAnswer, type TenantSettings } from '@wardline/protocol'
import type { z } from 'zod'
import type { AuditReason } from '../audit/vocabulary.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor, refuse } from '../http/decide.ts'
import { inForce } from './settings.ts'

type Changes = z.infer<typeof changeTenantSettings>
type Name = keyof Changes

/** How the audit names each setting; its new value is the event's `count`, a word of a list by its place there. */
const REASONS: Readonly<Record<Name, AuditReason>> = {
  idleSeconds: 'setting-idle',
  warningSeconds: 'setting-warning',
  sessionSeconds: 'setting-session-life',
  accessTokenSeconds: 'setting-token-life',
  stepUpSeconds: 'setting-step-up',
  onNetworkChange: 'setting-network-change',
  onAgentChange: 'setting-agent-change',
  onPasswordChange: 'setting-password-change',
  onRoleChange: 'setting-role-change',
}
const names = Object.keys(changeTenantSettings.shape) as Name[]

/** The tenant's settings as they are in force. @throws Refusal */
export async function showSettings(ctx: Context, caller: Caller): Promise<TenantSettings> {
  const { tenant } = caller.actor
  const action = 'settings.read'
  const { reason } = await decideFor(ctx, caller, action, { kind: 'tenant', tenant })
  await ctx.database.auditOnly(tenant, { ...caller.trail, action, outcome: 'allowed', reason })
  return inForce(caller.snapshot.settings, ctx.config)
}

/**
 * Changes some of them, for everybody of the tenant at once, on every node. One audit event for each that is another.
 * @throws Refusal `invalid` for what is above the installation's ceiling, or a warning of more than half of the idle time
 */
export async function changeSettings(ctx: Context, caller: Caller, changes: Changes): Promise<TenantSettings> {
  const { tenant } = caller.actor
  const action = 'settings.manage'
  await decideFor(ctx, caller, action, { kind: 'tenant', tenant })
  const { settings, version } = await ctx.database.withTenant(tenant, async (tx) => {
    // First of all, so that two who change them come one after the other.
    const { version } = await tx.db.tenant.update({ where: { id: tenant }, data: { version: { increment: 1 } } })
    const { tenantId: _, ...before } = await tx.db.tenantSettings.findUniqueOrThrow({ where: { tenantId: tenant } })
    const changed = names.filter((name) => changes[name] !== undefined && changes[name] !== before[name])
    const after = { ...before, ...present(changes) } as TenantSettings
    const wrong = contradictionIn(after, inForce(after, ctx.config), changes)
    if (wrong !== null) return refuse(ctx, caller, new Refusal('invalid', 'schema', { fields: [`/${wrong}`] }), action)
    await tx.db.tenantSettings.update({ where: { tenantId: tenant }, data: present(changes) })
    for (const name of changed) {
      const count = asNumber(after[name])
      tx.audit({ ...caller.trail, action, outcome: 'allowed', reason: REASONS[name], count })
    }
    if (changed.length === 0) tx.audit({ ...caller.trail, action, outcome: 'repeated' })
    return { settings: after, version }
  })
  ctx.access.tenantChanged(tenant)
  ctx.bus.publish({ k: 'tenant', t: tenant, v: version })
  await ctx.access.settled(tenant, caller.actor.user)
  return inForce(settings, ctx.config)
}

function contradictionIn(after: TenantSettings, inForceNow: TenantSettings, changes: Changes): Name | null {
  if (after.warningSeconds * 2 > after.idleSeconds) {
    return changes.warningSeconds === undefined ? 'idleSeconds' : 'warningSeconds'
  }
  return names.find((name) => changes[name] !== undefined && inForceNow[name] !== after[name]) ?? null
}

function present(changes: Changes): { [K in Name]?: NonNullable<Changes[K]> } {
  return Object.fromEntries(Object.entries(changes).filter(([, value]) => value !== undefined))
}

function asNumber(value: number | RiskAnswer): number {
  return typeof value === 'number' ? value : riskAnswer.options.indexOf(value)
}
