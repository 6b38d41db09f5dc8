import { describe, expect, test } from 'vitest'
import { createCsrfTokens } from './csrf.ts'

const csrf = createCsrfTokens(Buffer.alloc(32, 1))

describe('CSRF tokens', () => {
  test('R-15: belong to one session of one tenant of one installation', () => {
    const token = csrf.tokenFor('tenant', 'session')
    expect(token).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(csrf.matches(token, 'tenant', 'session')).toBe(true)
    expect(csrf.matches(token, 'tenant', 'other')).toBe(false)
    expect(csrf.matches(token, 'other', 'session')).toBe(false)
    expect(createCsrfTokens(Buffer.alloc(32, 2)).matches(token, 'tenant', 'session')).toBe(false)
  })

  test.each([undefined, '', 'a', 'A'.repeat(43), 'A'.repeat(5_000), '\u0000'])('%j matches nothing', (token) => {
    expect(csrf.matches(token, 'tenant', 'session')).toBe(false)
  })
})
