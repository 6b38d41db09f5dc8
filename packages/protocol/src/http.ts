import { z } from 'zod'
import { channelKind } from './channel.ts'
import { factorMethod, newPassword, password } from './http-factors.ts'
import { passkeyRequest } from './http-passkeys.ts'
import { position, roleName, tenantSlug, timestamp, username, uuid } from './ids.ts'
import { channelEvent } from './message.ts'
import { signedInUser } from './session.ts'
import { plainName, typedText } from './text.ts'

/** Where the API lives. */
export const API_BASE = '/api/v1'
/** Where the socket lives, and the subprotocol that must be offered. */
export const SOCKET_PATH = '/ws'
export const SUBPROTOCOL = 'wardline.v1'
/** The refresh token's cookie: host-only, secure, out of script's reach. */
export const REFRESH_COOKIE = '__Host-wardline-refresh'
export const CSRF_HEADER = 'x-csrf-token'

/** `GET /about`, for anybody: what a sign-in page needs to know. No version: strangers need not learn it. */
export const about = z.strictObject({ demo: z.boolean() })

/** A page of a list. `next` is an opaque cursor, or null on the last page. */
export function page<T extends z.ZodType>(item: T) {
  return z.strictObject({ items: z.array(item), next: z.string().nullable() })
}

/** `?limit=&cursor=` of every list. */
export const pageQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(200).default(50),
  cursor: z.string().max(400).optional(),
})

/**
 * Body of `POST /patients/search` and `/directory/search`: `q`, some of a name or number, typed by a person. A body and no query,
 * because URLs are logged, kept in histories and shown to proxies, and carry no ePHI.
 */
export const searchRequest = z.strictObject({
  q: typedText(1, 100),
  limit: z.int().min(1).max(200).default(50),
  cursor: z.string().max(400).optional(),
})

/** `POST /me/password`: the one that holds, and the one that is to hold. */
export const changePassword = z.strictObject({ password, newPassword })

export const loginRequest = z.strictObject({ tenant: tenantSlug, username, password })

export const authenticatedAnswer = z.strictObject({
  status: z.literal('authenticated'),
  accessToken: z.string(),
  /** Seconds that the access token lives. */
  expiresIn: z.int().min(1),
  csrfToken: z.string(),
  user: signedInUser,
})
export type AuthenticatedAnswer = z.infer<typeof authenticatedAnswer>

export const loginAnswer = z.discriminatedUnion('status', [
  authenticatedAnswer,
  z.strictObject({
    status: z.literal('second-factor'),
    challenge: z.string(),
    methods: z.array(factorMethod),
    expiresIn: z.int().min(1),
    /** Of who has a passkey: what the browser asks its authenticator. */
    passkey: passkeyRequest.optional(),
  }),
])
export type LoginAnswer = z.infer<typeof loginAnswer>

export const refreshAnswer = authenticatedAnswer
  .omit({ status: true })
  /** The session is locked: the token serves for `POST /auth/unlock` and for signing out, and nothing else. */
  .extend({ locked: z.literal(true).optional() })
export type RefreshAnswer = z.infer<typeof refreshAnswer>

export const sessionSummary = z.strictObject({
  id: z.string(),
  user: uuid,
  current: z.boolean(),
  createdAt: timestamp,
  lastSeenAt: timestamp,
  expiresAt: timestamp,
  /** When its person last did something; at most half a minute behind. */
  lastActiveAt: timestamp,
  locked: z.boolean(),
  /** The kind of browser and operating system: `firefox/windows`, words of a list. */
  agent: z.string().nullable(),
  /** From where it was used last. */
  address: z.string().nullable(),
  device: uuid,
  /** Sockets open now. */
  sockets: z.int().min(0),
})
export type SessionSummary = z.infer<typeof sessionSummary>

/** Two identifiers, never the room (Joint Commission NPSG.01.01.01): what the banner shows. */
export const patientSummary = z.strictObject({
  id: uuid,
  family: z.string(),
  given: z.string(),
  /** `YYYY-MM-DD`, or null where the record has none. */
  birthDate: z.string().nullable(),
  mrn: z.string(),
  sex: z.enum(['female', 'male', 'other', 'unknown']),
  deceased: z.boolean(),
  /** The patient's channel. */
  channel: uuid,
})
export type PatientSummary = z.infer<typeof patientSummary>

/** A channel in the inbox. */
export const channelSummary = z.strictObject({
  id: uuid,
  kind: channelKind,
  /** The name of a group, or null. */
  title: z.string().nullable(),
  patient: patientSummary.nullable(),
  /** The other people of a direct conversation; empty for other kinds. */
  with: z.array(z.strictObject({ user: uuid, displayName: z.string(), title: z.string().nullable() })),
  head: position,
  read: position,
  unread: z.int().min(0),
  urgent: z.int().min(0),
  /** Messages of others that ask for an acknowledgement and have none of mine, by priority. */
  awaiting: z.strictObject({
    stat: z.int().min(0),
    urgent: z.int().min(0),
    routine: z.int().min(0),
    /** When the oldest of the heaviest was posted. */
    since: timestamp.nullable(),
  }),
  lastAt: timestamp.nullable(),
  abilities: z.array(z.string()),
})
export type ChannelSummary = z.infer<typeof channelSummary>

export const createChannel = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('direct'), member: uuid }),
  z.strictObject({ kind: z.literal('group'), title: typedText(1, 120), members: z.array(uuid).min(1).max(200) }),
])

export const historyQuery = z.strictObject({
  before: z.coerce.number().int().min(1).optional(),
  limit: z.coerce.number().int().min(1).max(200).default(50),
})

/** Events in ascending order; `next` is the `before` of the page that precedes them, as a string, or null. */
export const historyPage = page(channelEvent)

export const directoryEntry = z.strictObject({
  id: uuid,
  displayName: z.string(),
  title: z.string().nullable(),
  roles: z.array(roleName),
})
export type DirectoryEntry = z.infer<typeof directoryEntry>

export const adminUser = z.strictObject({
  id: uuid,
  username,
  displayName: z.string(),
  title: z.string().nullable(),
  kind: z.enum(['person', 'service']),
  roles: z.array(roleName),
  disabled: z.boolean(),
  createdAt: timestamp,
})
export type AdminUser = z.infer<typeof adminUser>

export const createUser = z.strictObject({
  username,
  displayName: plainName,
  title: plainName.optional(),
  roles: z.array(roleName).max(20),
  /** None: nobody can sign in to the account until it has one. */
  password: newPassword.optional(),
})

export const changeUser = z.strictObject({
  displayName: plainName.optional(),
  title: plainName.nullable().optional(),
  roles: z.array(roleName).max(20).optional(),
  disabled: z.boolean().optional(),
})

/** A role, and what it gives: names of permissions. */
export const role = z.strictObject({
  name: roleName,
  label: z.string(),
  /** One of those that every tenant starts with; they cannot be changed. */
  system: z.boolean(),
  permissions: z.array(z.string()),
  /** Whoever holds it and has no second factor may do nothing but enrol one. */
  requireSecondFactor: z.boolean(),
})
export type Role = z.infer<typeof role>

/** `PATCH /admin/roles/:name`: of system roles too. */
export const changeRole = z.strictObject({ requireSecondFactor: z.boolean() })

export const careTeamAssignment = z.strictObject({
  id: uuid,
  patient: uuid,
  user: uuid,
  role: roleName,
  startsAt: timestamp,
  endsAt: timestamp.nullable(),
})
export type CareTeamAssignment = z.infer<typeof careTeamAssignment>

export const assignCareTeam = z.strictObject({
  patient: uuid,
  user: uuid,
  role: roleName,
  startsAt: timestamp.optional(),
  endsAt: timestamp.nullable().optional(),
})

/** `?patient=&user=` of `GET /admin/care-team`: past, current and coming assignments. */
export const careTeamQuery = pageQuery.extend({ patient: uuid.optional(), user: uuid.optional() })

/**
 * `POST /admin/care-team/patients`: a whole record number, as it is written on a wristband or with gaps. Not some of one: who oversees
 * care teams finds the patient they were asked about, and browses nobody.
 */
export const findPatient = z.strictObject({ mrn: typedText(1, 64) })

/** What tells a patient from another (NPSG.01.01.01), for who oversees care teams and cares for nobody: no channel, nothing else. */
export const patientIdentity = patientSummary.pick({
  id: true,
  family: true,
  given: true,
  birthDate: true,
  mrn: true,
  deceased: true,
})
export type PatientIdentity = z.infer<typeof patientIdentity>

/** `?user=` of `GET /admin/sessions`. */
export const sessionQuery = pageQuery.extend({ user: uuid.optional() })
