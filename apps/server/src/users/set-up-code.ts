import { isPermission, isPrivileged } from '@wardline/policy'
import { SET_UP_PATH, type SetUpCode } from '@wardline/protocol'
import type { By } from '../audit/by.ts'
import { type AuditFact, auditId, auditRole } from '../audit/event.ts'
import type { Context } from '../context.ts'
import { Refusal, toRefusal } from '../errors.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor, refuse } from '../http/decide.ts'
import { newRefreshToken } from '../sessions/refresh-token.ts'
import type { Database } from '../storage/open.ts'
import type { Change } from '../storage/transaction.ts'

const action = 'password.reset'

type Wanted = {
  readonly user: string
  /** Second factors go as well, once the code is used. */
  readonly resetFactors: boolean
  /** How long the code serves, in milliseconds. */
  readonly lifeMs: number
}

/**
 * Makes the code by which somebody else sets their password: of a new account, or because theirs is forgotten. An administrator's
 * act, after a step-up. Until it is used nothing changes for them: what they sign in with goes on serving. @throws Refusal
 */
export async function makeSetUpCode(
  ctx: Context,
  caller: Caller,
  user: string,
  { resetFactors }: Pick<Wanted, 'resetFactors'>,
): Promise<SetUpCode> {
  const { tenant } = caller.actor
  const about = { user: auditId(user) }
  const where = { tenantId_id: { tenantId: tenant, id: user } }
  const there = await ctx.database.readTenant(tenant, (db) => db.user.findUnique({ where, select: { kind: true } }))
  if (there?.kind !== 'person') return refuse(ctx, caller, new Refusal('not-found', 'not-found'), action, about)
  const resource = { kind: 'user', tenant, id: user } as const
  await decideFor(ctx, caller, action, resource, about)
  if (resetFactors) await decideFor(ctx, caller, 'factor.reset', resource, about)
  const wanted = { user, resetFactors, lifeMs: ctx.config.setUpMs }
  try {
    return await ctx.database.withTenant(tenant, (tx) => makeCode(tx, wanted, caller.trail))
  } catch (error) {
    return refuse(ctx, caller, toRefusal(error), action, about)
  }
}

/**
 * The same by the operator at the machine: for the only administrator of an organisation.
 * @returns null where there is no such person, or their account is disabled
 */
export async function makeSetUpCodeOfNamed(
  database: Pick<Database, 'readTenant' | 'withTenant'>,
  tenantId: string,
  username: string,
  wanted: Omit<Wanted, 'user'>,
  by: By,
): Promise<SetUpCode | null> {
  const where = { tenantId_username: { tenantId, username }, kind: 'person', disabledAt: null }
  const user = await database.readTenant(tenantId, (db) => db.user.findUnique({ where, select: { id: true } }))
  if (user === null) return null
  return database.withTenant(tenantId, (tx) => makeCode(tx, { ...wanted, user: user.id }, by))
}

/** The address to which a person is sent with their code. @param origin of the server, as people call it */
export function setUpLink(origin: string, { code }: SetUpCode): string {
  return `${origin}${SET_UP_PATH}#${code}`
}

/** What was made before is worth nothing from then on. @throws Refusal where the account is disabled */
async function makeCode(tx: Change, { user, resetFactors, lifeMs }: Wanted, by: By): Promise<SetUpCode> {
  const { db, tenantId, at } = tx
  // The account's row is taken, as by whoever disables it: that comes wholly before this, or takes the code away.
  const taken = await db.user.updateMany({
    where: { tenantId, id: user, kind: 'person', disabledAt: null },
    data: { kind: 'person' },
  })
  if (taken.count === 0) throw new Refusal('conflict', 'user-disabled')
  const reason = resetFactors ? 'factor-changed' : 'role'
  tx.audit({ ...by, action, outcome: 'allowed', reason, user: auditId(user), ...(await standingOf(tx, user)) })
  const { text, digest } = newRefreshToken(tenantId)
  const code = { digest, resetFactors, createdAt: new Date(at), expiresAt: new Date(at + lifeMs) }
  await db.setUpCode.upsert({
    where: { tenantId_userId: { tenantId, userId: user } },
    create: { tenantId, userId: user, ...code },
    update: code,
  })
  return { code: text, expiresAt: code.expiresAt.toISOString() }
}

/** What the alarm wants to know (`ofSetUpLink`): how often they have signed in, and a role by which they oversee or administer. */
async function standingOf({ db, tenantId }: Change, userId: string): Promise<Pick<AuditFact, 'count' | 'role'>> {
  const count = await db.session.count({ where: { tenantId, userId } })
  const held = await db.userRole.findMany({
    where: { tenantId, userId },
    select: { role: { select: { name: true, permissions: { select: { permission: true } } } } },
    orderBy: { role: { name: 'asc' } },
  })
  const privileged = held.find(({ role }) =>
    role.permissions.some(({ permission }) => isPermission(permission) && isPrivileged(permission)),
  )
  return { count, ...(privileged === undefined ? {} : { role: auditRole(privileged.role.name) }) }
}

/** Takes away the code that an account has, within the transaction that has taken its row. */
export async function voidSetUpCode({ db, tenantId }: Change, userId: string): Promise<void> {
  await db.setUpCode.deleteMany({ where: { tenantId, userId } })
}
