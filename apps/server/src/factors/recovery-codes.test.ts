import { describe, expect, test } from 'vitest'
import { newRecoveryCodes, recoveryCodeDigest } from './recovery-codes.ts'

describe('R-11 recovery codes', () => {
  test('ten, all different, readable', () => {
    const codes = newRecoveryCodes()
    expect(new Set(codes).size).toBe(10)
    for (const code of codes) expect(code).toMatch(/^([0-9a-hjkmnp-tv-z]{4}-){3}[0-9a-hjkmnp-tv-z]{4}$/)
  })

  test('however it is spelt it is the same code, and another user’s is another', () => {
    const digest = (code: string, user = 'u') => Buffer.from(recoveryCodeDigest('t', user, code)).toString('hex')
    expect(digest('01AB CDEF ghjk mnpq')).toBe(digest('01ab-cdef-ghjk-mnpq'))
    expect(digest('oIab-cdef-ghjk-mnpq')).toBe(digest('01ab-cdef-ghjk-mnpq'))
    expect(digest('01ab-cdef-ghjk-mnpr')).not.toBe(digest('01ab-cdef-ghjk-mnpq'))
    expect(digest('01ab-cdef-ghjk-mnpq', 'v')).not.toBe(digest('01ab-cdef-ghjk-mnpq'))
  })
})
