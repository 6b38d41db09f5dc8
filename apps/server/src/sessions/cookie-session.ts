import type { Database } from '../storage/open.ts'
import { readRefreshToken } from './refresh-token.ts'

/** The session that a refresh cookie belongs to, whether it lives or has ended. */
export type CookieSession = {
  readonly tenant: string
  readonly id: string
  readonly user: string
  /** Thumbprint of the device that it is bound to. */
  readonly jkt: string
  readonly ended: boolean
}

/** Whose cookie this is, or null when it is none of ours. What it may be used for is another question. */
export async function sessionOfCookie(
  database: Pick<Database, 'readTenant'>,
  cookie: string | undefined,
): Promise<CookieSession | null> {
  const token = readRefreshToken(cookie)
  if (token === null) return null
  const { tenant, digest } = token
  const held = await database.readTenant(tenant, (db) =>
    db.refreshToken.findUnique({
      where: { tenantId_digest: { tenantId: tenant, digest } },
      select: { session: { select: { id: true, userId: true, endedAt: true, device: { select: { jkt: true } } } } },
    }),
  )
  if (held === null) return null
  const { id, userId, endedAt, device } = held.session
  return { tenant, id, user: userId, jkt: device.jkt, ended: endedAt !== null }
}
