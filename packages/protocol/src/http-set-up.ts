import { z } from 'zod'
import { newPassword } from './http-factors.ts'
import { tenantSlug, timestamp, username } from './ids.ts'

/** Where the screen is to which a link leads: `https://host/set-up#CODE`. A fragment is sent to no server and is in no log. */
export const SET_UP_PATH = '/set-up'

/** `POST /admin/users/:id/set-up`: whether second factors go as well, once the code is used. */
export const makeSetUpCode = z.strictObject({ resetFactors: z.boolean().default(false) })

/** Shown once; the server keeps its digest. A newer one, and disabling the account, make it worthless. */
export const setUpCode = z.strictObject({ code: z.string(), expiresAt: timestamp })
export type SetUpCode = z.infer<typeof setUpCode>

/** `POST /auth/set-up`, for anybody who has the code. */
export const setUpRequest = z.strictObject({ code: z.string().min(1).max(200), password: newPassword })

/** What one signs in with from now on, beside the password. */
export const setUpAnswer = z.strictObject({ tenant: tenantSlug, username })
