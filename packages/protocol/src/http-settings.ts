import { z } from 'zod'

/** What follows a change of risk: nothing; a new token; proof of who it is before anything else; the end of the session. */
export const riskAnswer = z.enum(['ignore', 'renew', 'step-up', 'end'])
export type RiskAnswer = z.infer<typeof riskAnswer>

const seconds = z.int().min(1)

/** `GET /admin/settings`: what this organisation decides about its sign-ins, as it is in force. Times in seconds. */
export const tenantSettings = z.strictObject({
  /** Without a sign of the person for so long, a session is locked. */
  idleSeconds: seconds,
  /** So long before that, and before a session's end, they are warned. */
  warningSeconds: z.int().min(0),
  /** The longest that one sign-in lasts, whatever its person does. */
  sessionSeconds: seconds,
  accessTokenSeconds: seconds,
  /** How old a proof of who one is may be for what is of high risk. */
  stepUpSeconds: seconds,
  /** The session is used from another network: another /24 of IPv4, another /48 of IPv6. */
  onNetworkChange: riskAnswer,
  /** From another kind of browser or operating system, by the same device key. */
  onAgentChange: riskAnswer,
  /** For the session that set the password; the person's others end in any case. */
  onPasswordChange: riskAnswer,
  onRoleChange: riskAnswer,
})
export type TenantSettings = z.infer<typeof tenantSettings>

/**
 * `PATCH /admin/settings`: those to change. The bounds are what a hospital may choose; the installation's configuration bounds
 * `sessionSeconds`, `accessTokenSeconds` and `stepUpSeconds` once more. The warning is at most half of the idle time.
 */
export const changeTenantSettings = z
  .strictObject({
    idleSeconds: z.int().min(60).max(3_600),
    warningSeconds: z.int().min(15).max(300),
    sessionSeconds: z.int().min(3_600).max(86_400),
    accessTokenSeconds: z.int().min(20).max(300),
    stepUpSeconds: z.int().min(60).max(86_400),
    onNetworkChange: riskAnswer,
    onAgentChange: riskAnswer,
    onPasswordChange: riskAnswer,
    onRoleChange: riskAnswer,
  })
  .partial()
