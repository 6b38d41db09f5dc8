import type { Connection } from '@wardline/protocol'
import { auditId } from '../audit/event.ts'
import type { Context } from '../context.ts'
import { SILENT_MS } from '../gateway/socket-register.ts'
import type { Caller } from '../http/caller.ts'
import { decideFor } from '../http/decide.ts'
import { cursorId, type Page, type PageRequest, pageWithMore } from '../http/page.ts'

/** The tenant's open sockets on all nodes, the latest first; those of one person, or of one of their sign-ins, where asked so. */
export async function listConnections(
  ctx: Context,
  caller: Caller,
  { limit, cursor, user, session }: PageRequest & { user?: string | undefined; session?: string | undefined },
): Promise<Page<Connection>> {
  const tenantId = caller.actor.tenant
  const about = user === undefined ? {} : { user: auditId(user) }
  const action = 'connection.read'
  const { reason } = await decideFor(ctx, caller, action, { kind: 'tenant', tenant: tenantId }, about)
  // This node's own as of now; another's are a second behind.
  await ctx.gateway.register.flush()
  const rows = await ctx.database.readTenant(tenantId, (db) =>
    db.openSocket.findMany({
      where: {
        tenantId,
        on: { seenAt: { gt: new Date(ctx.clock.now() - SILENT_MS) } },
        ...(user === undefined ? {} : { userId: user }),
        ...(session === undefined ? {} : { sessionId: session }),
      },
      orderBy: [{ openedAt: 'desc' }, { id: 'asc' }],
      take: limit + 1,
      ...(cursor === undefined ? {} : { cursor: { tenantId_id: { tenantId, id: cursorId(cursor) } }, skip: 1 }),
    }),
  )
  const { items, next } = pageWithMore(rows, limit, ({ id }) => id)
  const count = items.length
  await ctx.database.auditOnly(tenantId, { ...caller.trail, ...about, action, outcome: 'allowed', reason, count })
  return {
    items: items.map(({ id, userId, sessionId, device, address, node, openedAt }) => ({
      id,
      user: userId,
      session: sessionId,
      device,
      address,
      node,
      openedAt: openedAt.toISOString(),
    })),
    next,
  }
}
