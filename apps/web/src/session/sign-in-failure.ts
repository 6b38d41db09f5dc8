import { WardlineError } from '@wardline/client'
import { tenantSlug } from '@wardline/protocol'
import { strings } from '../strings.ts'

const text = strings.session

export interface Typed {
  readonly tenant: string
  readonly username: string
  readonly password: string
}

export type FieldErrors = Partial<Record<keyof Typed, string>>

/** As the server wants it: names are lower case and stand alone; a password is what was typed, to the letter. */
export function tidied(typed: Typed): Typed {
  return {
    tenant: typed.tenant.trim().toLowerCase(),
    username: typed.username.trim().toLowerCase(),
    password: typed.password,
  }
}

/** What can be said before the server is asked: only that something is missing or cannot be a name at all. */
export function fieldErrors(typed: Typed): FieldErrors {
  const { tenant, username, password } = tidied(typed)
  return {
    ...(tenant === ''
      ? { tenant: text.missing.tenant }
      : tenantSlug.safeParse(tenant).success
        ? {}
        : { tenant: text.malformedTenant }),
    ...(username === '' ? { username: text.missing.username } : {}),
    ...(password === '' ? { password: text.missing.password } : {}),
  }
}

/** Whether the challenge is good for nothing any more: it was refused, and not because of the code. */
export function isOver(error: unknown): boolean {
  return error instanceof WardlineError && error.code === 'unauthenticated' && error.why === null
}

/** Why the second step failed. Who comes this far has the password, and may know that it was the code. */
export function secondFactorFailure(error: unknown): string {
  if (error instanceof WardlineError && error.why === 'code-used') return text.secondFactor.used
  if (error instanceof WardlineError && error.why === 'code-wrong') return text.secondFactor.wrong
  if (error instanceof WardlineError && error.why === 'passkey-wrong') return text.failed.passkey
  return signInFailure(error)
}

/** Why a passkey did not sign in: nobody is told more than that it did not. */
export function passkeyFailure(error: unknown): string {
  const refused = error instanceof WardlineError && ['unauthenticated', 'invalid', 'not-found'].includes(error.code)
  return refused || (error instanceof Error && !(error instanceof WardlineError))
    ? text.failed.passkey
    : signInFailure(error)
}

/** Why signing in failed, in words that name no field: which of the three was wrong is not for a stranger to know. */
export function signInFailure(error: unknown): string {
  if (!(error instanceof WardlineError)) return text.failed.other
  switch (error.code) {
    case 'unauthenticated':
    case 'invalid':
    case 'forbidden':
    case 'not-found':
    case 'too-large':
      return text.failed.credentials
    case 'rate-limited':
      return error.retryAfterMs === null
        ? text.failed.slowDownSoon
        : text.failed.slowDown(Math.max(1, Math.ceil(error.retryAfterMs / 1000)))
    case 'unavailable':
      return text.failed.unreachable
    default:
      return text.failed.other
  }
}
