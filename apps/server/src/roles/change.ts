import type { Role } from '@wardline/protocol'
import { auditRole } from '../audit/event.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor, refuse } from '../http/decide.ts'
import { shownRole } from './shown.ts'

/**
 * Whether a role demands a second factor of who holds it, system roles included: a setting of the organisation, and no
 * change of what the role may do. Holds at once: whoever has none may from then on do nothing but enrol one. @throws Refusal
 */
export async function changeRole(
  ctx: Context,
  caller: Caller,
  name: string,
  requireSecondFactor: boolean,
): Promise<Role> {
  const { tenant: tenantId } = caller.actor
  const action = 'settings.manage'
  await decideFor(ctx, caller, action, { kind: 'tenant', tenant: tenantId })
  const where = { tenantId_name: { tenantId, name } }
  const there = await ctx.database.readTenant(tenantId, (db) => db.role.findUnique({ where, select: { id: true } }))
  // A word that names no role may be anything that somebody has typed: it is not written down.
  if (there === null) return refuse(ctx, caller, new Refusal('not-found', 'not-found'), action)
  const about = { role: auditRole(name) }
  const { role, version } = await ctx.database.withTenant(tenantId, async (tx) => {
    const tenant = await tx.db.tenant.update({ where: { id: tenantId }, data: { version: { increment: 1 } } })
    const changed = await tx.db.role.update({ where, data: { requireSecondFactor }, include: { permissions: true } })
    const reason = requireSecondFactor ? 'factor-required' : 'factor-optional'
    tx.audit({ ...caller.trail, ...about, action: 'role.update', outcome: 'allowed', reason })
    return { role: changed, version: tenant.version }
  })
  ctx.access.tenantChanged(tenantId)
  ctx.bus.publish({ k: 'tenant', t: tenantId, v: version })
  await ctx.access.settled(tenantId, caller.actor.user)
  return shownRole(role)
}
