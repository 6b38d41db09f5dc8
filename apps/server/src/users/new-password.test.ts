import { describe, expect, test } from 'vitest'
import { whyRefused } from './new-password.ts'

const owner = { username: 'nurse.lind', tenant: 'riverside' }

describe('R-10 a new password', () => {
  test.each([
    'password123',
    'Password123',
    'ＰＡＳＳＷＯＲＤ１２３',
    'qwertyuiop',
    'Summer2025!',
    'aaaaaaaaaaaa',
    'abcabcabc',
    'ababababab',
  ])('%s is one of the commonest, or a repetition', (password) =>
    expect(whyRefused(password, owner)).toBe('password-common'),
  )

  test.each(['nurse.lind', 'Nurse.Lind1', 'riverside!!!', 'riverside42', 'nurse lind 7'])(
    '%s is the account’s own name',
    (password) => expect(whyRefused(password, owner)).toBe('password-of-account'),
  )

  test.each([
    'a password for tests',
    'correct horse battery',
    'gx7 kq2p',
    'the nurse by the river',
    '漢字仮名交じり文章',
  ])('%s is fine: no rules of composition', (password) => expect(whyRefused(password, owner)).toBeNull())
})
