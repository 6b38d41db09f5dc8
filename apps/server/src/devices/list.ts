import type { Device } from '@wardline/protocol'
import type { TenantDb } from '../storage/transaction.ts'

const MAX_DEVICES = 200

type Asked = {
  readonly tenantId: string
  /** Undefined: everybody's. */
  readonly user: string | undefined
  /** Thumbprint of the asker's own key. */
  readonly jkt: string
  readonly now: number
  readonly take?: number
  readonly cursor?: string | undefined
}

/** Devices, the one that was used last first. */
export async function findDevices(
  db: TenantDb,
  { tenantId, user, jkt, now, take = MAX_DEVICES, cursor }: Asked,
): Promise<Device[]> {
  const rows = await db.device.findMany({
    where: { tenantId, ...(user === undefined ? {} : { userId: user }) },
    orderBy: [{ lastSeenAt: 'desc' }, { id: 'asc' }],
    include: { _count: { select: { sessions: { where: { endedAt: null, expiresAt: { gt: new Date(now) } } } } } },
    take,
    ...(cursor === undefined ? {} : { cursor: { tenantId_id: { tenantId, id: cursor } }, skip: 1 }),
  })
  return rows.map((row) => ({
    id: row.id,
    user: row.userId,
    current: row.jkt === jkt,
    createdAt: row.createdAt.toISOString(),
    lastSeenAt: row.lastSeenAt.toISOString(),
    revokedAt: row.revokedAt?.toISOString() ?? null,
    sessions: row._count.sessions,
  }))
}
