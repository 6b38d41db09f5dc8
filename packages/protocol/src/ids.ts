import { z } from 'zod'

/** The id of a row: a UUID in lower case, so that one id has one spelling. */
export const uuid = z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/)

/** A value that must not be guessed (sid, jti, nonce): base64url of 16 to 64 random bytes. */
export const secretId = z.string().regex(/^[A-Za-z0-9_-]{22,86}$/)

/** The client's own name for a request, repeated as `replyTo`. */
export const requestId = z.string().regex(/^[A-Za-z0-9_.:-]{1,36}$/)

/** A place in a channel's order, from 1. */
export const sequence = z.int().min(1)

/** A place in a channel's order, or 0: before the first. */
export const position = z.int().min(0)

/** RFC 3339, UTC, milliseconds, from the year 1000 on: `2026-11-22T03:04:05.678Z`. A 30 February is none. */
export const timestamp = z
  .string()
  .regex(/^[1-9]\d{3}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  .refine((text) => {
    const ms = Date.parse(text)
    return !Number.isNaN(ms) && new Date(ms).toISOString() === text
  })

/** A tenant's short name, as typed at sign-in. */
export const tenantSlug = z.string().regex(/^[a-z][a-z0-9-]{1,39}$/)

/** A user's name at sign-in: unique within the tenant, lower case. */
export const username = z.string().regex(/^[a-z0-9][a-z0-9._-]{1,63}$/)

/** The name of a role: `physician`, `on-call-cardiology`. */
export const roleName = z.string().regex(/^[a-z][a-z0-9-]{1,39}$/)

/**
 * What is shown as an access token or a proof. Whether it is a compact JWS at all is judged with everything else, so that there is one
 * answer for whatever is wrong with it.
 */
export const credential = z
  .string()
  .min(1)
  .max(4096)
  .regex(/^[A-Za-z0-9._-]+$/)
