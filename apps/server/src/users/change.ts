import type { AdminUser, changeUser as changeUserSchema, createUser as createUserSchema } from '@wardline/protocol'
import type { z } from 'zod'
import type { By } from '../audit/by.ts'
import { auditId, auditRole } from '../audit/event.ts'
import type { Context } from '../context.ts'
import { Refusal } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor, refuse } from '../http/decide.ts'
import { endSessions } from '../sessions/end.ts'
import { answerTo, demand, RENEWAL_MS } from '../sessions/risk.ts'
import { isUniqueViolation } from '../storage/errors.ts'
import type { Change } from '../storage/transaction.ts'
import { createUser, rolesNamed, UnknownRole } from './create.ts'
import { findAdminUser } from './list.ts'
import { whyRefused } from './new-password.ts'
import { voidSetUpCode } from './set-up-code.ts'

export type UserChanges = z.infer<typeof changeUserSchema>

/** An account for a new person. Without a password nobody can sign in to it yet. @throws Refusal */
export async function addUser(
  ctx: Context,
  caller: Caller,
  wanted: z.infer<typeof createUserSchema>,
): Promise<AdminUser> {
  const { tenant } = caller.actor
  await decideFor(ctx, caller, 'user.manage', { kind: 'tenant', tenant })
  // Somebody who is not there yet has no id, and is nobody's own account.
  if (wanted.roles.length > 0) await decideFor(ctx, caller, 'role.assign', { kind: 'user', tenant, id: '' })
  const { username, displayName, title = null, roles, password } = wanted
  const why =
    password === undefined ? null : whyRefused(password, { username, tenant: caller.snapshot.profile.tenant.slug })
  if (why !== null) {
    return refuse(ctx, caller, new Refusal('invalid', 'weak-password', { why, fields: ['/password'] }), 'user.create')
  }
  const passwordHash = password === undefined ? null : await ctx.passwords.hash(password)
  const by = caller.trail
  try {
    return await ctx.database.withTenant(tenant, async (tx) => {
      const user = { username, displayName, title, roles, passwordHash, externalDigest: null, by }
      return requireUser(tx, await createUser(tx, user))
    })
  } catch (error) {
    return refuse(ctx, caller, whyNot(error), 'user.create')
  }
}

/**
 * Changes an account. Disabling it ends its sessions and closes its sockets at once; a change of roles holds from the next frame
 * on. @throws Refusal
 */
export async function changeUser(ctx: Context, caller: Caller, id: string, changes: UserChanges): Promise<AdminUser> {
  const { tenant } = caller.actor
  const about = { user: auditId(id) }
  const there = await ctx.database.readTenant(tenant, (db) => findAdminUser(db, tenant, id))
  if (there === null) return refuse(ctx, caller, new Refusal('not-found', 'not-found'), 'user.manage', about)
  await decideFor(ctx, caller, 'user.manage', { kind: 'user', tenant, id }, about)
  if (changes.roles !== undefined) await decideFor(ctx, caller, 'role.assign', { kind: 'user', tenant, id }, about)
  try {
    const { changed, version } = await ctx.database.withTenant(tenant, async (tx) => {
      const version = await applyChanges(tx, caller, id, changes)
      return { version, changed: await requireUser(tx, id) }
    })
    ctx.sessions.changed(tenant, id, version)
    await ctx.access.settled(tenant, id)
    return changed
  } catch (error) {
    return refuse(ctx, caller, whyNot(error), 'user.update', about)
  }
}

/** @returns the user's new version */
async function applyChanges(
  tx: Change,
  { trail, snapshot: { settings } }: Caller,
  id: string,
  changes: UserChanges,
): Promise<number> {
  const { tenantId, db } = tx
  const { displayName, title, disabled, roles } = changes
  // First of all, so that two who change the same account come one after the other.
  const where = { tenantId_id: { tenantId, id } }
  const before = await db.user.update({ where, data: { version: { increment: 1 } } })
  let { version } = before
  let written = 0
  const audit = (action: 'user.update' | 'user.disable' | 'user.enable', count?: number) => {
    tx.audit({ ...trail, action, outcome: 'allowed', user: auditId(id), ...(count === undefined ? {} : { count }) })
    written += 1
  }

  if (displayName !== undefined || title !== undefined) {
    const data = { ...(displayName === undefined ? {} : { displayName }), ...(title === undefined ? {} : { title }) }
    await db.user.update({ where, data })
    audit('user.update')
  }
  if (disabled === true && before.disabledAt === null) {
    await db.user.update({ where, data: { disabledAt: new Date(tx.at) } })
    const ended = await endSessions(tx, { user: id }, 'user-disabled')
    await voidSetUpCode(tx, id)
    version = ended.version
    audit('user.disable', ended.count)
  }
  if (disabled === false && before.disabledAt !== null) {
    await db.user.update({ where, data: { disabledAt: null } })
    audit('user.enable')
  }
  const moved = roles === undefined ? 0 : await changeRoles(tx, trail, id, roles)
  if (moved > 0) {
    written += moved
    const answer = answerTo('role-change', settings)
    const about = { ...trail, user: auditId(id) }
    await demand(tx, { user: id }, { reason: 'role-change', answer, trail: about, withinMs: RENEWAL_MS })
  }
  // What was asked for holds already: that it was asked is written down all the same.
  if (written === 0) audit('user.update', 0)
  return version
}

/** @returns how many were given and taken away */
async function changeRoles(tx: Change, by: By, userId: string, names: readonly string[]): Promise<number> {
  const { tenantId, db } = tx
  const wanted = await rolesNamed(tx, names)
  const held = await db.userRole.findMany({ where: { tenantId, userId }, include: { role: true } })
  const added = wanted.filter(({ id }) => !held.some(({ roleId }) => roleId === id))
  const removed = held.filter(({ roleId }) => !wanted.some(({ id }) => id === roleId))
  await db.userRole.createMany({
    data: added.map((role) => ({ tenantId, userId, roleId: role.id, grantedBy: by.actor })),
  })
  await db.userRole.deleteMany({ where: { tenantId, userId, roleId: { in: removed.map(({ roleId }) => roleId) } } })
  const audit = (action: 'role.assign' | 'role.revoke', role: string) =>
    tx.audit({ ...by, action, outcome: 'allowed', user: auditId(userId), role: auditRole(role) })
  for (const { name } of added) audit('role.assign', name)
  for (const { role } of removed) audit('role.revoke', role.name)
  return added.length + removed.length
}

async function requireUser(tx: Change, id: string): Promise<AdminUser> {
  const user = await findAdminUser(tx.db, tx.tenantId, id)
  if (user === null) throw new Error('an account that was just written is not there')
  return user
}

/** What the asker can mend, as a refusal; anything else goes on as it is. */
function whyNot(error: unknown): Refusal {
  if (error instanceof UnknownRole) return new Refusal('invalid', 'schema', { fields: ['/roles'] })
  if (isUniqueViolation(error)) return new Refusal('conflict', 'conflict', { fields: ['/username'] })
  throw error
}
