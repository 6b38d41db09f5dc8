import type { DirectoryEntry } from '@wardline/protocol'
import type { Context } from '../context.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor } from '../http/decide.ts'
import { type Page, type PageRequest, pageOf } from '../http/page.ts'
import { compareNames, searchFor } from '../search.ts'

/** The people of the organisation who can sign in, by name; with `q`, those whose name or title holds what was typed. */
export async function listDirectory(
  ctx: Context,
  caller: Caller,
  request: PageRequest & { readonly q?: string },
): Promise<Page<DirectoryEntry>> {
  const tenantId = caller.actor.tenant
  const { reason } = await decideFor(ctx, caller, 'directory.read', { kind: 'tenant', tenant: tenantId })
  const isWanted = request.q === undefined ? () => true : searchFor(request.q)
  const page = await ctx.database.readTenant(tenantId, async (db) => {
    const people = await db.user.findMany({
      where: { tenantId, kind: 'person', disabledAt: null },
      select: { id: true, displayName: true, title: true },
    })
    const found = people.filter(({ displayName, title }) => isWanted(displayName, title))
    found.sort((a, b) => compareNames(a.displayName, b.displayName) || (a.id < b.id ? -1 : 1))
    const { items, next } = pageOf(found, request)
    const held = await db.userRole.findMany({
      where: { tenantId, userId: { in: items.map(({ id }) => id) } },
      select: { userId: true, role: { select: { name: true } } },
    })
    const roles = Map.groupBy(held, ({ userId }) => userId)
    const entries = items.map((person) => ({
      ...person,
      roles: (roles.get(person.id) ?? []).map(({ role }) => role.name).sort(),
    }))
    return { items: entries, next }
  })
  const count = page.items.length
  await ctx.database.auditOnly(tenantId, {
    ...caller.trail,
    action: 'directory.read',
    outcome: 'allowed',
    reason,
    count,
  })
  return page
}
