import type { AdminUser } from '@wardline/protocol'
import type { Context } from '../context.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor } from '../http/decide.ts'
import { cursorId, type Page, type PageRequest, pageWithMore } from '../http/page.ts'
import type { TenantDb } from '../storage/transaction.ts'

/** Everything of an account that an administrator sees, and no more: never a hash or a version. */
const shown = {
  id: true,
  username: true,
  displayName: true,
  title: true,
  kind: true,
  createdAt: true,
  disabledAt: true,
  roles: { select: { role: { select: { name: true } } } },
} as const

type Shown = {
  id: string
  username: string
  displayName: string
  title: string | null
  kind: string
  createdAt: Date
  disabledAt: Date | null
  roles: { role: { name: string } }[]
}

function adminUserOf({ kind, createdAt, disabledAt, roles, ...rest }: Shown): AdminUser {
  return {
    ...rest,
    kind: kind === 'service' ? 'service' : 'person',
    roles: roles.map(({ role }) => role.name).sort(),
    disabled: disabledAt !== null,
    createdAt: createdAt.toISOString(),
  }
}

/** The tenant's accounts by user name, the disabled ones too. */
export async function listUsers(
  ctx: Context,
  caller: Caller,
  { limit, cursor }: PageRequest,
): Promise<Page<AdminUser>> {
  const tenantId = caller.actor.tenant
  const { reason } = await decideFor(ctx, caller, 'user.read', { kind: 'tenant', tenant: tenantId })
  const rows = await ctx.database.readTenant(tenantId, (db) =>
    db.user.findMany({
      where: { tenantId },
      orderBy: { username: 'asc' },
      take: limit + 1,
      ...(cursor === undefined ? {} : { cursor: { tenantId_id: { tenantId, id: cursorId(cursor) } }, skip: 1 }),
      select: shown,
    }),
  )
  const page = pageWithMore(rows.map(adminUserOf), limit, ({ id }) => id)
  const count = page.items.length
  await ctx.database.auditOnly(tenantId, { ...caller.trail, action: 'user.read', outcome: 'allowed', reason, count })
  return page
}

/** One account, or null. The caller has asked policy. */
export async function findAdminUser(db: TenantDb, tenantId: string, id: string): Promise<AdminUser | null> {
  const row = await db.user.findUnique({ where: { tenantId_id: { tenantId, id } }, select: shown })
  return row === null ? null : adminUserOf(row)
}
