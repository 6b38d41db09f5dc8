import { z } from 'zod'

/** What a client may do after a refusal. `later`: after `retryAfterMs`, or with growing pauses. */
export type Retry = 'never' | 'later' | 'after-renewal' | 'after-step-up' | 'after-unlock'

/**
 * The one table of refusals, for both transports: the code, its HTTP status, when to try again, and all that is ever said
 * in words. No entry echoes input, names a row or explains more than a stranger may know.
 */
export const ERRORS = {
  invalid: { status: 400, retry: 'never', message: 'The request is not valid.' },
  unauthenticated: { status: 401, retry: 'after-renewal', message: 'Sign in to do this.' },
  'step-up-required': { status: 401, retry: 'after-step-up', message: 'Confirm who you are to do this.' },
  forbidden: { status: 403, retry: 'never', message: 'You may not do this.' },
  'second-factor-required': { status: 403, retry: 'never', message: 'Set up a second factor first.' },
  'not-found': { status: 404, retry: 'never', message: 'There is nothing here that you may see.' },
  conflict: { status: 409, retry: 'never', message: 'This contradicts what is already there.' },
  'too-large': { status: 413, retry: 'never', message: 'The request is too large.' },
  locked: { status: 423, retry: 'after-unlock', message: 'This session is locked. Unlock it to go on.' },
  'rate-limited': { status: 429, retry: 'later', message: 'Too many requests. Wait a moment.' },
  internal: { status: 500, retry: 'later', message: 'Something failed on our side.' },
  unavailable: { status: 503, retry: 'later', message: 'Not available right now. Nothing was changed.' },
} as const satisfies Record<string, { status: number; retry: Retry; message: string }>

export type ErrorCode = keyof typeof ERRORS

export const ERROR_CODES = Object.keys(ERRORS) as [ErrorCode, ...ErrorCode[]]

export const errorCode = z.enum(ERROR_CODES)

export const retry = z.enum(['never', 'later', 'after-renewal', 'after-step-up', 'after-unlock'])

/**
 * What somebody who is signed in, or half signed in, may know of a refusal of what they typed: a word of this list, for the
 * screen to say in a sentence. Never more than they would find out by trying once more.
 */
export const refusalWhy = z.enum([
  'password-wrong',
  'password-common',
  'password-of-account',
  'password-same',
  'code-wrong',
  'code-used',
  'code-wanted',
  'locked-idle',
  'locked-own',
  'locked-risk',
  'passkey-wrong',
  'factor-needed',
])
export type RefusalWhy = z.infer<typeof refusalWhy>

/** An error over HTTP: RFC 9457 `application/problem+json`. `type` is `urn:wardline:error:<code>`. */
export const problem = z.strictObject({
  type: z.string(),
  title: z.string(),
  status: z.int(),
  code: errorCode,
  retry,
  retryAfterMs: z.int().min(0).optional(),
  /** Where a body or query is wrong: JSON pointers to fields, never their values. */
  fields: z.array(z.string()).max(32).optional(),
  why: refusalWhy.optional(),
})

export type Problem = z.infer<typeof problem>
