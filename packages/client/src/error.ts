import { ERRORS, type ErrorCode, type RefusalWhy, type Retry } from '@wardline/protocol'

type Details = {
  status?: number | undefined
  retry?: Retry | undefined
  retryAfterMs?: number | undefined
  fields?: readonly string[] | undefined
  why?: RefusalWhy | undefined
  cause?: unknown
}

/**
 * A refusal, the same for HTTP and the socket. `message` is the fixed text of the protocol's table: it holds no input.
 * A server that cannot be reached is `unavailable` with status 0.
 */
export class WardlineError extends Error {
  override readonly name = 'WardlineError'
  readonly code: ErrorCode
  readonly retry: Retry
  /** Milliseconds to wait at least, where the server said so. */
  readonly retryAfterMs: number | null
  /** The HTTP status; 0 where there was no answer, or where the refusal came by the socket or from the SDK itself. */
  readonly status: number
  /** JSON pointers to what is wrong in a body, never its values. */
  readonly fields: readonly string[]
  /** What was wrong with what was typed, where the server says so. */
  readonly why: RefusalWhy | null

  constructor(code: ErrorCode, details: Details = {}) {
    super(ERRORS[code].message, details.cause === undefined ? undefined : { cause: details.cause })
    this.code = code
    this.retry = details.retry ?? ERRORS[code].retry
    this.retryAfterMs = details.retryAfterMs ?? null
    this.status = details.status ?? 0
    this.fields = details.fields ?? []
    this.why = details.why ?? null
  }
}

/** Whether asking again later, unchanged, can succeed: the network, an overload, a fault of the server. */
export function isPassing(error: unknown): boolean {
  return error instanceof WardlineError && error.retry === 'later'
}
