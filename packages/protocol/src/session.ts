import { z } from 'zod'
import { credential, requestId, roleName, secretId, tenantSlug, timestamp, username, uuid } from './ids.ts'
import { statedLimits } from './limits.ts'

/** Who is signed in, as every transport says it. `abilities` is what policy allows: screens show nothing else. */
export const signedInUser = z.strictObject({
  id: uuid,
  username,
  displayName: z.string(),
  title: z.string().nullable(),
  tenant: z.strictObject({ id: uuid, slug: tenantSlug, name: z.string() }),
  roles: z.array(roleName),
  abilities: z.array(z.string()),
  /** A role of theirs demands a second factor and they have none: until they have enrolled one, nothing else is answered. */
  mustEnrol: z.literal(true).optional(),
})
export type SignedInUser = z.infer<typeof signedInUser>

/** server → client, first of all. The nonce is good once, on this socket, for `deadlineMs`. */
export const sessionChallenge = z.strictObject({
  type: z.literal('session.challenge'),
  nonce: secretId,
  connectionId: uuid,
  serverTime: timestamp,
  deadlineMs: z.int().min(1),
})

/** client → server, its first frame. Any failure closes with 4401. */
export const sessionAuthenticate = z.strictObject({
  type: z.literal('session.authenticate'),
  id: requestId,
  token: credential,
  proof: credential,
})

export type SessionAuthenticate = z.infer<typeof sessionAuthenticate>

/** What ends or locks a session, in milliseconds. `idleMs`: null where it is never locked for idling (a service's). */
export const sessionTimes = z.strictObject({
  idleMs: z.int().min(1).nullable(),
  /** So long before it is locked, a warning comes. */
  warningMs: z.int().min(0),
  /** Its absolute end, whatever is done. */
  endsAt: timestamp,
})
export type SessionTimes = z.infer<typeof sessionTimes>

/**
 * server → client. From here on the socket may ask. Of all that is stated, `limits` alone may be of another version than the
 * reader's [P9]: a server holds its limits whether or not they are known, while any other field could change what those beside it mean.
 */
export const sessionAuthenticated = z.strictObject({
  type: z.literal('session.authenticated'),
  replyTo: requestId,
  user: signedInUser,
  expiresAt: timestamp,
  session: sessionTimes,
  limits: statedLimits,
})

export const renewReason = z.enum([
  'expiry',
  'role-change',
  'password-change',
  'network-change',
  'agent-change',
  'administrator',
])

/** server → client: prove yourself again over this nonce, `before` this time, or the socket closes with 4440. */
export const sessionRenewRequired = z.strictObject({
  type: z.literal('session.renew-required'),
  reason: renewReason,
  nonce: secretId,
  before: timestamp,
})

/** client → server: a new token of the same user, tenant, session and device. Anything else closes with 4401. */
export const sessionRenew = z.strictObject({
  type: z.literal('session.renew'),
  id: requestId,
  token: credential,
  proof: credential,
})

export const sessionRenewed = z.strictObject({
  type: z.literal('session.renewed'),
  replyTo: requestId,
  expiresAt: timestamp,
})

/**
 * client → server, answered with `done`: is the line alive? Browsers see no pings of the WebSocket protocol, so a client that
 * wants to say "Live" truthfully asks. It is no activity: a socket that only pings goes idle.
 */
export const sessionPing = z.strictObject({ type: z.literal('session.ping'), id: requestId })

/**
 * client → server, unanswered: the person at the screen has touched it. With what only a person does (messages, typing, presence,
 * calls that change something) it is what keeps a session from being locked. Once in ten seconds is plenty.
 */
export const sessionActivity = z.strictObject({ type: z.literal('session.activity') })

/**
 * server → client: at `at` the session is locked for idling, unless its person does something; or it ends. `at` null: the idle
 * warning is off, somebody has done something, in this tab or another.
 */
export const sessionWarning = z.strictObject({
  type: z.literal('session.warning'),
  reason: z.enum(['idle', 'end']),
  at: timestamp.nullable(),
})
