import { describe, expect, test } from 'vitest'
import { newTotpSecret, totpStep, totpUri } from './totp.ts'

/** RFC 6238 appendix B: the ASCII of 12345678901234567890; the last six of its eight digits. */
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'

describe('R-11 codes of an authenticator app', () => {
  test.each([
    [59, '287082'],
    [1_111_111_109, '081804'],
    [1_111_111_111, '050471'],
    [1_234_567_890, '005924'],
    [2_000_000_000, '279037'],
    [20_000_000_000, '353130'],
  ])('RFC 6238 appendix B at %i s', (seconds, code) => {
    expect(totpStep(SECRET, code, seconds * 1000)).toBe(Math.floor(seconds / 30))
  })

  test('a code of the step before or after counts as that step, one further away is wrong', () => {
    expect(totpStep(SECRET, '287082', 30_000)).toBe(1)
    expect(totpStep(SECRET, '287082', 0)).toBe(1)
    expect(totpStep(SECRET, '287082', 89_999)).toBe(1)
    expect(totpStep(SECRET, '287082', 90_000)).toBeNull()
  })

  test('a secret has 160 bits; its address says so to an app', () => {
    const secret = newTotpSecret()
    expect(secret).toMatch(/^[A-Z2-7]{32}$/)
    expect(newTotpSecret()).not.toBe(secret)
    const uri = new URL(totpUri(secret, 'nurse.lind@riverside'))
    expect(uri.protocol).toBe('otpauth:')
    expect(uri.searchParams.get('secret')).toBe(secret)
    expect(uri.searchParams.get('issuer')).toBe('Wardline')
  })
})
