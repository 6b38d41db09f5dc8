import { expect, test } from 'vitest'
import { behind } from './behind.ts'

const receipt = (delivered: number, read: number) => ({ user: 'u', delivered, read, at: null })

test('R-44 how a person stands to the end of a conversation', () => {
  expect(behind(null, 0)).toBe('read')
  expect(behind(null, 3)).toBe('undelivered')
  expect(behind(receipt(2, 2), 3)).toBe('undelivered')
  expect(behind(receipt(3, 2), 3)).toBe('unread')
  expect(behind(receipt(3, 3), 3)).toBe('read')
})
