import type { SessionSummary } from '@wardline/protocol'
import type { Context } from '../context.ts'
import { SILENT_MS } from '../gateway/socket-register.ts'

/** A user's living sessions, the latest first. @param current the caller's own session */
export async function listSessions(
  ctx: Pick<Context, 'database' | 'clock' | 'gateway' | 'activity'>,
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
  const elsewhere = await socketsElsewhere(ctx, tenant, rows)
  return rows.map((row) => sessionSummaryOf(ctx, row, current, elsewhere))
}

/** How many sockets each of these sessions has open on other nodes, as those say; a second behind. */
export async function socketsElsewhere(
  { database, gateway, clock }: Pick<Context, 'database' | 'gateway' | 'clock'>,
  tenantId: string,
  sessions: readonly { readonly id: string }[],
): Promise<ReadonlyMap<string, number>> {
  const counted = await database.readTenant(tenantId, (db) =>
    db.openSocket.groupBy({
      by: ['sessionId'],
      where: {
        tenantId,
        sessionId: { in: sessions.map(({ id }) => id) },
        node: { not: gateway.register.node },
        on: { seenAt: { gt: new Date(clock.now() - SILENT_MS) } },
      },
      _count: true,
    }),
  )
  return new Map(counted.map(({ sessionId, _count: count }) => [sessionId, count]))
}

type SessionRow = {
  readonly id: string
  readonly tenantId: string
  readonly userId: string
  readonly createdAt: Date
  readonly lastSeenAt: Date
  readonly expiresAt: Date
  readonly activeAt: Date
  readonly lockedAt: Date | null
  readonly agent: string | null
  readonly address: string | null
  readonly deviceId: string
}

/** A session as its user and administrators see it. */
export function sessionSummaryOf(
  { gateway, activity }: Pick<Context, 'gateway' | 'activity'>,
  { id, tenantId, userId, createdAt, lastSeenAt, expiresAt, activeAt, lockedAt, ...row }: SessionRow,
  current: string,
  elsewhere: ReadonlyMap<string, number>,
): SessionSummary {
  return {
    id,
    user: userId,
    current: id === current,
    createdAt: createdAt.toISOString(),
    lastSeenAt: lastSeenAt.toISOString(),
    expiresAt: expiresAt.toISOString(),
    lastActiveAt: new Date(Math.max(activeAt.getTime(), activity.seenAt(id) ?? 0)).toISOString(),
    locked: lockedAt !== null,
    agent: row.agent,
    address: row.address,
    device: row.deviceId,
    sockets: gateway.sockets.ofSession(tenantId, userId, id) + (elsewhere.get(id) ?? 0),
  }
}
