import { ERRORS, type ErrorCode, type ErrorFrame, type Problem, type RefusalWhy } from '@wardline/protocol'
import type { AuditFact } from './audit/event.ts'
import type { AuditReason } from './audit/vocabulary.ts'
import { isUnavailable } from './storage/errors.ts'

/**
 * Why the server does not start, in one line that says what to do. `main.ts` prints it without a stack and exits with
 * `exitCode`: 1 for what an operator mends (a port in use, a database that does not answer, a key that does not fit).
 */
export class StartError extends Error {
  readonly exitCode: number
  constructor(message: string, exitCode = 1, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StartError'
    this.exitCode = exitCode
  }
}

export type RefusalDetails = {
  /** When it is worth another try, in milliseconds. */
  readonly retryAfterMs?: number
  /** JSON pointers to what is wrong in the request; names of the schema, never what was sent. */
  readonly fields?: readonly string[]
  /** What the asker may be told of why. */
  readonly why?: RefusalWhy
  /** With `step-up-required`: how old a proof may be, in ms. */
  readonly maxAgeMs?: number
  /** With `step-up-required`: that it takes more than a password. */
  readonly acr?: 'aal2'
  readonly cause?: unknown
}

/**
 * A request that is not done, thrown by every act, on both transports. `code` is all that the asker learns; `reason` goes to
 * the audit. It takes no text, so nothing that was sent can be repeated in it.
 */
export class Refusal extends Error {
  readonly code: ErrorCode
  readonly reason: AuditReason
  readonly retryAfterMs: number | undefined
  readonly fields: readonly string[] | undefined
  readonly why: RefusalWhy | undefined
  readonly maxAgeMs: number | undefined
  readonly acr: 'aal2' | undefined
  /** Whether its audit event has been written by whoever knew most about it; the funnel writes one otherwise. */
  audited = false
  /** Whom a token was good for that was refused all the same: in whose audit the refusal belongs. */
  claimed: { readonly tenant: string; readonly trail: Pick<AuditFact, 'actor' | 'session' | 'device'> } | undefined
  constructor(code: ErrorCode, reason: AuditReason, details: RefusalDetails = {}) {
    super(`${code}: ${reason}`, details.cause === undefined ? undefined : { cause: details.cause })
    this.name = 'Refusal'
    this.code = code
    this.reason = reason
    this.retryAfterMs = details.retryAfterMs
    this.fields = details.fields
    this.why = details.why
    this.maxAgeMs = details.maxAgeMs
    this.acr = details.acr
  }
}

/** The one funnel: whatever was thrown, as a refusal. What nobody foresaw is `internal`, its cause for the log alone. */
export function toRefusal(thrown: unknown): Refusal {
  if (thrown instanceof Refusal) return thrown
  if (isUnavailable(thrown)) return new Refusal('unavailable', 'unavailable', { cause: thrown, retryAfterMs: 1_000 })
  return new Refusal('internal', 'internal', { cause: thrown })
}

/** A refusal as HTTP says it (RFC 9457). */
export function toProblem({ code, retryAfterMs, fields, why }: Refusal): Problem {
  const { status, retry, message } = ERRORS[code]
  return {
    type: `urn:wardline:error:${code}`,
    title: message,
    status,
    code,
    retry,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs: Math.ceil(retryAfterMs) }),
    ...(fields === undefined || fields.length === 0 ? {} : { fields: fields.slice(0, 32) }),
    ...(why === undefined ? {} : { why }),
  }
}

/** A refusal as the socket says it. `replyTo`: the request's id, where there was one. */
export function toErrorFrame({ code, retryAfterMs }: Refusal, replyTo?: string): ErrorFrame {
  const { retry, message } = ERRORS[code]
  return {
    type: 'error',
    ...(replyTo === undefined ? {} : { replyTo }),
    code,
    message,
    retry,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs: Math.ceil(retryAfterMs) }),
  }
}
