import {
  type AuthenticatedAnswer,
  authenticatedAnswer,
  type LoginAnswer,
  loginAnswer,
  type PasskeyAssertion,
  type PasskeyRequest,
  passkeyRequest,
  type RefreshAnswer,
  refreshAnswer,
  type SecondFactorRequest,
} from '@wardline/protocol'
import type { Environment } from './environment.ts'
import { WardlineError } from './error.ts'
import type { OnFault } from './fault.ts'
import type { Credentials, Http, Schema } from './http.ts'
import type { Proofs } from './proof.ts'
import type { SignIn } from './session-state.ts'

/** A refresh that is put off for at most this is asked for again at once, so many times. Milliseconds. */
const ROTATION_MS = 2_000
const ROTATION_WAITS = 3

type AuthDeps = { http: Http; env: Pick<Environment, 'setTimer'>; proofs: Proofs; onFault: OnFault }

/** What is asked of a server with no token yet, or none any more. Each throws WardlineError, but for `logout`. */
export type AuthCalls = {
  login(credentials: SignIn): Promise<LoginAnswer>
  secondFactor(answer: SecondFactorRequest): Promise<AuthenticatedAnswer>
  passkeyOptions(): Promise<PasskeyRequest>
  passkey(passkey: PasskeyAssertion): Promise<AuthenticatedAnswer>
  /** By the cookie; asks again where another tab has just rotated it. */
  refresh(): Promise<RefreshAnswer>
  /** By the token, or where there is none by the cookie. Never throws; `reached`: whether the server knows it. */
  logout(credentials: Credentials): Promise<{ reached: boolean }>
}

export function authCalls({ http, env, proofs, onFault }: AuthDeps, csrfToken: () => string | undefined): AuthCalls {
  const post = <T>(path: string, answer: Schema<T>, body?: unknown) =>
    http.send({ method: 'POST', path, body, answer, cookie: true }, { csrfToken: csrfToken() })

  async function refresh(): Promise<RefreshAnswer> {
    for (let left = ROTATION_WAITS; ; left -= 1) {
      try {
        return await post('/auth/refresh', refreshAnswer)
      } catch (error) {
        // Somebody (another tab, a first try whose answer was lost) rotated this cookie a moment ago: shortly again.
        const waitMs = error instanceof WardlineError && error.code === 'rate-limited' ? error.retryAfterMs : null
        if (waitMs === null || waitMs > ROTATION_MS || left === 0) throw error
        await new Promise<void>((resolve) => env.setTimer(waitMs, resolve))
      }
    }
  }

  async function logout(credentials: Credentials): Promise<{ reached: boolean }> {
    try {
      await http.send({ method: 'POST', path: '/auth/logout', answer: null, cookie: true }, credentials)
      return { reached: true }
    } catch (error) {
      // "You are not signed in" is what was wanted.
      if (error instanceof WardlineError && error.code === 'unauthenticated') return { reached: true }
    }
    // The cookie is out of a script's reach. Without the key that it is bound to, it is of no use to the next person here.
    await proofs.forget().catch((error: unknown) => onFault({ kind: 'storage', error }))
    return { reached: false }
  }

  return {
    refresh,
    logout,
    login: (credentials) => post('/auth/login', loginAnswer, credentials),
    secondFactor: (answer) => post('/auth/second-factor', authenticatedAnswer, answer),
    passkeyOptions: () => http.send({ method: 'POST', path: '/auth/passkey/options', answer: passkeyRequest }, {}),
    passkey: (passkey) => post('/auth/passkey', authenticatedAnswer, { passkey }),
  }
}
