import { WardlineError } from '@wardline/client'
import { refusalWhy } from '@wardline/protocol'
import { describe, expect, test } from 'vitest'
import { strings } from '../strings.ts'
import { changeFailure } from './failure.ts'

describe('changing a password or a second factor', () => {
  test('R-10 each reason of the protocol has a sentence of its own kind', () => {
    for (const why of refusalWhy.options) {
      expect(changeFailure(new WardlineError('invalid', { why })), why).not.toBe(strings.account.failed.other)
    }
  })

  test('an old sign-in, a slow-down and a lost network say what to do', () => {
    expect(changeFailure(new WardlineError('step-up-required'))).toBe(strings.account.factor.signInFirst)
    expect(changeFailure(new WardlineError('rate-limited', { retryAfterMs: 4_200 }))).toContain('5 s')
    expect(changeFailure(new WardlineError('unavailable'))).toBe(strings.account.failed.unreachable)
    expect(changeFailure(new TypeError('x'))).toBe(strings.account.failed.other)
  })
})
