import { createHmac, createSecretKey, randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { hmacSha256 } from './hmac.ts'

it('is the HMAC that node:crypto makes, for any key and any text', () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 64 }),
      fc.string({ unit: 'grapheme', maxLength: 300 }),
      (bytes, text) => {
        const key = createSecretKey(bytes)
        const expected = createHmac('sha256', key).update(text).digest()
        expect(hmacSha256(key, text)).toEqual(expected)
        expect(hmacSha256(key, text)).toEqual(expected)
      },
    ),
  )
})

it('takes no key that would have to be hashed first', () => {
  expect(() => hmacSha256(createSecretKey(randomBytes(65)), '')).toThrow(TypeError)
})
