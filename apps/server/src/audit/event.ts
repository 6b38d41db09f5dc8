import { isIP } from 'node:net'
import { z } from 'zod'
import { auditActions, auditOutcomes, auditReasons } from './vocabulary.ts'

/**
 * The one shape of an audit event (R-70), closed: ids, words of fixed lists, addresses, origins, counts and times. There
 * is no field that takes free text, and the types take neither a plain string nor a `Phi`: each value goes through the
 * function below that checks and brands it.
 */

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const SECRET_ID = /^[A-Za-z0-9_-]{22,86}$/
/** RFC 6454 §6.1 in ASCII: scheme, host and port alone. A tuple origin that is not one of these is not worth keeping. */
const ORIGIN = /^https?:\/\/(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?|\[[0-9a-f:.]{2,45}\])(?::[0-9]{1,5})?$/
const ROLE = /^[a-z][a-z0-9-]{1,39}$/
const MAX_ORIGIN_LENGTH = 255

const id = z.string().regex(UUID).brand<'AuditId'>()
const secretId = z.string().regex(SECRET_ID).brand<'AuditSecretId'>()
const address = z.string().refine(isAddress).brand<'AuditAddress'>()
const origin = z.string().max(MAX_ORIGIN_LENGTH).regex(ORIGIN).brand<'AuditOrigin'>()
const role = z.string().regex(ROLE).brand<'AuditRole'>()
const time = z.iso.datetime({ precision: 3 }).brand<'AuditTime'>()
const count = z.int().min(0)

export type AuditId = z.infer<typeof id>
export type AuditSecretId = z.infer<typeof secretId>
export type AuditAddress = z.infer<typeof address>
export type AuditOrigin = z.infer<typeof origin>
export type AuditRole = z.infer<typeof role>
export type AuditTime = z.infer<typeof time>

const fact = {
  action: z.enum(auditActions),
  outcome: z.enum(auditOutcomes),
  reason: z.enum(auditReasons).optional(),
  /** Who: the user, or the nil UUID for the system itself. Absent: nobody is known yet. */
  actor: id.optional(),
  session: secretId.optional(),
  /** RFC 7638 thumbprint of the device's key. */
  device: secretId.optional(),
  connection: id.optional(),
  address: address.optional(),
  /** What a browser stated. One that is not an origin at all is left out, with the reason `origin`. */
  origin: origin.optional(),
  // What it was done to.
  patient: id.optional(),
  channel: id.optional(),
  message: id.optional(),
  user: id.optional(),
  role: role.optional(),
  assignment: id.optional(),
  /** A session that is not the actor's own. */
  subject: secretId.optional(),
  key: id.optional(),
  alert: id.optional(),
  attachment: id.optional(),
  /** A review of the audit, and a hold on it. */
  review: id.optional(),
  hold: id.optional(),
  /** A channel sequence: where reading began, what was read, what was posted. */
  seq: count.optional(),
  /** How many: rows listed, refusals summed up, items taken. */
  count: count.optional(),
  until: time.optional(),
}

export const auditFactSchema = z.strictObject(fact)
export const auditEventSchema = z.strictObject({ v: z.literal(1), at: time, tenant: id, ...fact })

/** What happened, as whoever did it says it. Storage adds when and in which tenant. */
export type AuditFact = z.infer<typeof auditFactSchema>

/** The event as it is kept: `v` the version of this shape, `tenant` the nil UUID where none is known. */
export type AuditEvent = z.infer<typeof auditEventSchema>

/** A value does not fit the closed schema. Says which kind, never the value. */
export class AuditValueError extends Error {
  constructor(kind: string) {
    super(`not a value for an audit event: ${kind}`)
    this.name = 'AuditValueError'
  }
}

/** A row's UUID. @throws AuditValueError */
export function auditId(value: string): AuditId {
  if (!UUID.test(value)) throw new AuditValueError('id')
  return value as AuditId
}

/** A session id or a key's thumbprint: 22 to 86 characters of base64url. @throws AuditValueError */
export function auditSecretId(value: string): AuditSecretId {
  if (!SECRET_ID.test(value)) throw new AuditValueError('secret id')
  return value as AuditSecretId
}

/** An IPv4 or IPv6 address, without zone. @throws AuditValueError */
export function auditAddress(value: string): AuditAddress {
  if (!isAddress(value)) throw new AuditValueError('address')
  return value as AuditAddress
}

/** The `Origin` header where it is one: strangers choose it, so anything else is not kept. */
export function auditOrigin(value: string | undefined): AuditOrigin | undefined {
  return value !== undefined && value.length <= MAX_ORIGIN_LENGTH && ORIGIN.test(value)
    ? (value as AuditOrigin)
    : undefined
}

/** The name of a role. @throws AuditValueError */
export function auditRole(value: string): AuditRole {
  if (!ROLE.test(value)) throw new AuditValueError('role')
  return value as AuditRole
}

/** RFC 3339 UTC with milliseconds. @param ms epoch milliseconds, up to the year 9999. @throws AuditValueError */
export function auditTime(ms: number): AuditTime {
  if (!(ms >= 0 && ms < 253_402_300_800_000)) throw new AuditValueError('time')
  return new Date(ms).toISOString() as AuditTime
}

type Check = (value: unknown) => boolean

const matches =
  (pattern: RegExp): Check =>
  (value) =>
    typeof value === 'string' && pattern.test(value)
const oneOf = (words: readonly string[]): Check => {
  const set: ReadonlySet<unknown> = new Set(words)
  return (value) => set.has(value)
}
const isCount: Check = (value) => Number.isSafeInteger(value) && (value as number) >= 0
const isOrigin: Check = (value) => auditOrigin(value as string) !== undefined

/** How each field is checked when it is written: by hand, because a schema's parse costs a post more than its cipher. */
const checks: Record<keyof AuditFact, Check> = {
  action: oneOf(auditActions),
  actor: matches(UUID),
  address: (value) => typeof value === 'string' && isAddress(value),
  alert: matches(UUID),
  assignment: matches(UUID),
  attachment: matches(UUID),
  channel: matches(UUID),
  connection: matches(UUID),
  count: isCount,
  device: matches(SECRET_ID),
  hold: matches(UUID),
  key: matches(UUID),
  message: matches(UUID),
  origin: isOrigin,
  outcome: oneOf(auditOutcomes),
  patient: matches(UUID),
  reason: oneOf(auditReasons),
  review: matches(UUID),
  role: matches(ROLE),
  seq: isCount,
  session: matches(SECRET_ID),
  subject: matches(SECRET_ID),
  until: (value) => time.safeParse(value).success,
  user: matches(UUID),
}

// RFC 8785 §3.2.3: members in the order of their names. Those that storage adds are marked by having no check.
const members = [...Object.entries(checks), ['at'], ['tenant'], ['v']]
  .map(([name, check]) => ({ name: name as keyof AuditEvent, check: check as Check | undefined }))
  .sort((a, b) => (a.name < b.name ? -1 : 1))

/**
 * The bytes that are stored and later hashed: RFC 8785 of the {@link AuditEvent}. Every value is checked once more, so that
 * what is smuggled past the types stops here; and what passes holds no character that JSON would escape.
 *
 * @param tenant the nil UUID where none is known
 * @param at epoch milliseconds
 * @throws AuditValueError naming the field
 */
export function encodeAuditEvent(tenant: AuditId, at: number, given: AuditFact): Buffer {
  const stamped: Partial<Record<keyof AuditEvent, unknown>> = { at: auditTime(at), tenant: auditId(tenant), v: 1 }
  const values = given as Partial<Record<keyof AuditEvent, unknown>>
  let text = ''
  let taken = 0
  for (const { name, check } of members) {
    const value = check === undefined ? stamped[name] : values[name]
    if (value === undefined) continue
    if (check !== undefined) {
      if (!check(value)) throw new AuditValueError(name)
      taken += 1
    }
    text += `${text === '' ? '{' : ','}"${name}":${typeof value === 'number' ? value : `"${value as string}"`}`
  }
  if (given.action === undefined || given.outcome === undefined) throw new AuditValueError('action and outcome')
  let present = 0
  for (const value of Object.values(given)) if (value !== undefined) present += 1
  if (present !== taken) throw new AuditValueError('unknown field')
  return Buffer.from(`${text}}`, 'latin1')
}

const decoder = new TextDecoder('utf-8', { fatal: true })

/** Reads stored bytes back. @throws AuditValueError when they are no event of this version. */
export function decodeAuditEvent(bytes: Uint8Array): AuditEvent {
  try {
    return auditEventSchema.parse(JSON.parse(decoder.decode(bytes)))
  } catch {
    throw new AuditValueError('stored event')
  }
}

function isAddress(value: string): boolean {
  return isIP(value) !== 0 && !value.includes('%')
}
