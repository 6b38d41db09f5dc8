import { WardlineError } from '@wardline/client'
import { describe, expect, test } from 'vitest'
import { strings } from '../strings.ts'
import { fieldErrors, isOver, passkeyFailure, secondFactorFailure, signInFailure, tidied } from './sign-in-failure.ts'

const typed = { tenant: ' Riverside ', username: 'Nurse.Lind ', password: ' Correct horse ' }

describe('signing in', () => {
  test('names are tidied, a password is left to the letter', () => {
    expect(tidied(typed)).toEqual({ tenant: 'riverside', username: 'nurse.lind', password: ' Correct horse ' })
    expect(fieldErrors(typed)).toEqual({})
  })

  test('what is missing is said beside its field', () => {
    expect(Object.keys(fieldErrors({ tenant: '', username: ' ', password: '' }))).toEqual([
      'tenant',
      'username',
      'password',
    ])
    expect(fieldErrors({ ...typed, tenant: 'river side' }).tenant).toBe(strings.session.malformedTenant)
  })

  test('R-10 one answer for an unknown user, a wrong password and a disabled account', () => {
    const answers = (['unauthenticated', 'forbidden', 'not-found', 'invalid'] as const).map((code) =>
      signInFailure(new WardlineError(code)),
    )
    expect(new Set(answers)).toEqual(new Set([strings.session.failed.credentials]))
  })

  test('a slow-down says how long', () => {
    expect(signInFailure(new WardlineError('rate-limited', { retryAfterMs: 4200 }))).toContain('5 s')
    expect(signInFailure(new WardlineError('rate-limited'))).toBe(strings.session.failed.slowDownSoon)
  })

  test('R-11 the second step: a wrong code is said to be one, a challenge that is over begins anew', () => {
    const wrong = new WardlineError('unauthenticated', { why: 'code-wrong' })
    expect(secondFactorFailure(wrong)).toBe(strings.session.secondFactor.wrong)
    expect(isOver(wrong)).toBe(false)
    expect(isOver(new WardlineError('unauthenticated'))).toBe(true)
    expect(isOver(new WardlineError('unavailable'))).toBe(false)
    expect(secondFactorFailure(new WardlineError('rate-limited', { retryAfterMs: 2_000 }))).toContain('2 s')
  })

  test('R-11 a passkey: not accepted, whatever was wrong; a server that is away is said to be', () => {
    for (const code of ['unauthenticated', 'invalid', 'not-found'] as const) {
      expect(passkeyFailure(new WardlineError(code))).toBe(strings.session.failed.passkey)
    }
    expect(passkeyFailure(new DOMException('x', 'SecurityError'))).toBe(strings.session.failed.passkey)
    expect(passkeyFailure(new WardlineError('unavailable'))).toBe(strings.session.failed.unreachable)
    expect(secondFactorFailure(new WardlineError('unauthenticated', { why: 'passkey-wrong' }))).toBe(
      strings.session.failed.passkey,
    )
  })

  test('an unreachable server is not blamed on the password', () => {
    expect(signInFailure(new WardlineError('unavailable'))).toBe(strings.session.failed.unreachable)
    expect(signInFailure(new TypeError('x'))).toBe(strings.session.failed.other)
  })
})
