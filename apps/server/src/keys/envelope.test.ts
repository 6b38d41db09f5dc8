import { createDecipheriv, randomBytes, randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { keyIdOf, openSealed, SEAL_OVERHEAD, SealError, sealKey, sealWith } from './envelope.ts'

const key = sealKey('00112233-4455-4677-8899-aabbccddeeff', Buffer.alloc(32, 7))
const place = { tenant: randomUUID(), scope: randomUUID(), row: randomUUID(), purpose: 'body' }

describe('sealed value', () => {
  it('R-60 opens where it was sealed, whatever it holds', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 2_000 }), (plain) => {
        const sealed = sealWith(key, place, plain)
        expect(sealed.length).toBe(plain.length + SEAL_OVERHEAD)
        expect(new Uint8Array(openSealed(key, place, sealed))).toEqual(plain)
        expect(keyIdOf(sealed)).toBe(key.id)
      }),
    )
  })

  it('has the stated form: version, key id, nonce, ciphertext, tag, by AES-256-GCM over the stated associated data', () => {
    const sealed = sealWith(key, { tenant: 't', scope: 's', row: 'r', purpose: 'p' }, Buffer.from('hello'), (nonce) =>
      nonce.fill(9),
    )
    expect(sealed.toString('hex', 0, 29)).toBe(`0100112233445546778899aabbccddeeff${'09'.repeat(12)}`)
    const decipher = createDecipheriv('aes-256-gcm', Buffer.alloc(32, 7), Buffer.alloc(12, 9))
    decipher.setAAD(Buffer.from('t|s|r|p'))
    decipher.setAuthTag(sealed.subarray(-16))
    expect(decipher.update(sealed.subarray(29, -16)).toString() + decipher.final().toString()).toBe('hello')
  })

  it('R-60 does not open anywhere else, nor changed in a single bit, nor cut', () => {
    const sealed = sealWith(key, place, Buffer.from('canary'))
    for (const part of ['tenant', 'scope', 'row', 'purpose'] as const) {
      expect(() => openSealed(key, { ...place, [part]: 'elsewhere' }, sealed), part).toThrow(SealError)
    }
    expect(() => openSealed(sealKey(key.id, randomBytes(32)), place, sealed)).toThrow(SealError)
    expect(() => openSealed(sealKey(randomUUID(), Buffer.alloc(32, 7)), place, sealed)).toThrow(SealError)
    for (let bit = 0; bit < sealed.length * 8; bit++) {
      const changed = Buffer.from(sealed)
      changed[bit >> 3]! ^= 1 << (bit & 7)
      expect(() => openSealed(key, place, changed), `bit ${bit}`).toThrow(SealError)
    }
    for (let length = 0; length < sealed.length; length++) {
      expect(() => openSealed(key, place, sealed.subarray(0, length)), `length ${length}`).toThrow(SealError)
    }
  })

  it('is different each time', () => {
    const sealed = new Set(Array.from({ length: 100 }, () => sealWith(key, place, Buffer.from('same')).toString('hex')))
    expect(sealed.size).toBe(100)
  })

  it('takes no context whose parts could be read in two ways', () => {
    expect(() => sealWith(key, { ...place, scope: 'a|b' }, Buffer.alloc(1))).toThrow(TypeError)
    expect(() => openSealed(key, { ...place, row: '|' }, sealWith(key, place, Buffer.alloc(1)))).toThrow(TypeError)
  })

  it('refuses keys of another size, and tells the id of no other bytes', () => {
    expect(() => sealKey(key.id, Buffer.alloc(16))).toThrow(TypeError)
    expect(() => sealKey('short', Buffer.alloc(32))).toThrow(TypeError)
    expect(() => keyIdOf(Buffer.alloc(SEAL_OVERHEAD))).toThrow(SealError)
    expect(() => keyIdOf(Buffer.from([1]))).toThrow(SealError)
  })
})
