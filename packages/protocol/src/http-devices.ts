import { z } from 'zod'
import { pageQuery } from './http.ts'
import { secretId, timestamp, uuid } from './ids.ts'

/** A key that somebody has signed in with, of a browser or a program. */
export const device = z.strictObject({
  id: uuid,
  user: uuid,
  /** The one that asks. */
  current: z.boolean(),
  createdAt: timestamp,
  lastSeenAt: timestamp,
  /** Nobody signs in with it any more; null while it is good. */
  revokedAt: timestamp.nullable(),
  /** Sign-ins that live on it. */
  sessions: z.int().min(0),
})
export type Device = z.infer<typeof device>

/** `?user=&limit=&cursor=` of `GET /admin/devices`. */
export const deviceQuery = pageQuery.extend({ user: uuid.optional() })

/** How many sign-ins have ended. */
export const sessionsEnded = z.strictObject({ ended: z.int().min(0) })

/** Body of `POST /admin/tokens/revoke`: one access token of `user`, by its `jti`. */
export const revokeToken = z.strictObject({ user: uuid, jti: secretId })
