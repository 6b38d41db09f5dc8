import { z } from 'zod'
import { pageQuery } from './http.ts'
import { secretId, timestamp, uuid } from './ids.ts'

/** A signed-in socket that is open now, on whichever node. `id` is the `connectionId` of its challenge, as in the audit. */
export const connection = z.strictObject({
  id: uuid,
  user: uuid,
  session: z.string(),
  /** The thumbprint of the key that it was opened with. */
  device: z.string(),
  address: z.string(),
  /** The name of the node that holds it; another one after each start. */
  node: z.string(),
  openedAt: timestamp,
})
export type Connection = z.infer<typeof connection>

/** `?user=&session=&limit=&cursor=` of `GET /admin/connections`. */
export const connectionQuery = pageQuery.extend({ user: uuid.optional(), session: secretId.optional() })
