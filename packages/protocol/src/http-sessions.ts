import { z } from 'zod'

/** Why a session is locked: nobody was there; its person asked for it; or the risk is another, and who it is has to be shown. */
export const lockReason = z.enum([
  'idle',
  'own',
  'network-change',
  'agent-change',
  'password-change',
  'role-change',
  'administrator',
])
export type LockReason = z.infer<typeof lockReason>

/** Why older tokens of a session are not taken any more. */
export const renewalReason = lockReason.exclude(['idle', 'own'])
export type RenewalReason = z.infer<typeof renewalReason>

/**
 * `POST /admin/sessions/:id/renew`: `renew`, its tokens of before now are not taken any more, and its cookie gets others;
 * `step-up`, it is locked until its person has shown who they are.
 */
export const demandRenewal = z.strictObject({ demand: z.enum(['renew', 'step-up']) })
