import { z } from 'zod'
import { timestamp } from './ids.ts'

/**
 * A key that signs access tokens, without the key. `next`: published, does not sign yet; `signing`: the one that does;
 * `verifying`: signs no more, its last tokens still live.
 */
export const signingKey = z.strictObject({
  kid: z.string(),
  activeFrom: timestamp,
  state: z.enum(['next', 'signing', 'verifying']),
})
export type SigningKey = z.infer<typeof signingKey>
