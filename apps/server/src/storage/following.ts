import type pg from 'pg'
import { type GatewayReads, gatewayReadsFrom } from './gateway-reads.ts'
import { type Poll, replayFrom } from './replay.ts'

/**
 * What a node asks about those who are connected to it, so that nobody is served longer than their rights last. On
 * connections of its own: nothing else that a node asks of its database comes before it, however much of that there is.
 */
export type Following = {
  /** As `readAccess`. */
  readonly followAccess: GatewayReads['readAccess']
  /** The versions that hold now. @throws StorageUnavailable */
  pollVersions(tenantId: string, userIds: readonly string[]): Promise<Pick<Poll, 'tenantVersion' | 'users'>>
}

export function followingFrom(pool: pg.Pool): Following {
  const { poll } = replayFrom(pool)
  return {
    followAccess: gatewayReadsFrom(pool).readAccess,
    pollVersions: (tenantId, userIds) => poll(tenantId, userIds, []),
  }
}
