import fc from 'fast-check'
import { expect, test } from 'vitest'
import { readUserHandle, userHandleOf } from './user-handle.ts'

test('a user handle says whose passkey it is, in 32 bytes', () => {
  fc.assert(
    fc.property(fc.uuid(), fc.uuid(), (tenant, user) => {
      const handle = userHandleOf(tenant, user)
      expect(Buffer.from(handle, 'base64url')).toHaveLength(32)
      expect(readUserHandle(handle)).toEqual({ tenant, user })
    }),
  )
})

test('what is none is read as nobody', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.base64String(), fc.constant(null)), (text) => {
      const read = readUserHandle(text)
      if (read !== null) expect(read.user).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/)
    }),
  )
})
