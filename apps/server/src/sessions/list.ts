import type { SessionSummary } from '@wardline/protocol'
import type { Context } from '../context.ts'

/** A user's living sessions, the latest first. `sockets` counts those of this node. @param current the caller's own session */
export async function listSessions(
  ctx: Pick<Context, 'database' | 'clock' | 'gateway'>,
  tenant: string,
  user: string,
  current: string,
): Promise<SessionSummary[]> {
  const rows = await ctx.database.readTenant(tenant, (db) =>
    db.session.findMany({
      where: { tenantId: tenant, userId: user, endedAt: null, expiresAt: { gt: new Date(ctx.clock.now()) } },
      orderBy: [{ lastSeenAt: 'desc' }, { id: 'asc' }],
      take: 200,
    }),
  )
  return rows.map((row) => sessionSummaryOf(ctx, row, current))
}

type SessionRow = {
  readonly id: string
  readonly tenantId: string
  readonly userId: string
  readonly createdAt: Date
  readonly lastSeenAt: Date
  readonly expiresAt: Date
}

/** A session as its user and administrators see it. */
export function sessionSummaryOf(
  { gateway }: Pick<Context, 'gateway'>,
  { id, tenantId, userId, createdAt, lastSeenAt, expiresAt }: SessionRow,
  current: string,
): SessionSummary {
  return {
    id,
    user: userId,
    current: id === current,
    createdAt: createdAt.toISOString(),
    lastSeenAt: lastSeenAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    sockets: gateway.sockets.ofSession(tenantId, userId, id),
  }
}
