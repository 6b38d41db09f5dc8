import { WardlineError } from '@wardline/client'
import { isHeldAlready } from '../session/passkey.ts'
import { strings } from '../strings.ts'

const text = strings.account

/** Why a change of password or second factor failed, in a sentence that says what to do. */
export function changeFailure(error: unknown): string {
  if (isHeldAlready(error)) return text.factor.heldAlready
  if (!(error instanceof WardlineError)) return text.failed.other
  switch (error.why) {
    case 'password-wrong':
    case 'password-common':
    case 'password-of-account':
    case 'password-same':
      return text.password.why[error.why]
    case 'code-used':
      return text.stepUp.used
    case 'code-wrong':
    case 'code-wanted':
      return text.factor.wrong
    case 'passkey-wrong':
      return text.factor.passkeyWrong
    case 'factor-needed':
      return text.factor.needed
    case 'locked-idle':
    case 'locked-own':
    case 'locked-risk':
      return text.failed.locked
    case null:
      break
  }
  if (error.code === 'step-up-required') return text.factor.signInFirst
  if (error.code === 'rate-limited')
    return text.failed.slowDown(Math.max(1, Math.ceil((error.retryAfterMs ?? 60_000) / 1000)))
  return error.code === 'unavailable' ? text.failed.unreachable : text.failed.other
}
