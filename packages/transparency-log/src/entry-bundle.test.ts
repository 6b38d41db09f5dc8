import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeBundle, encodeBundle, MAX_ENTRY_BYTES } from './entry-bundle.ts'

describe('entry bundles', () => {
  it('are big-endian uint16 length-prefixed', () => {
    const long = new Uint8Array(258).fill(7)
    const bundle = encodeBundle([new Uint8Array(0), Uint8Array.of(1, 2, 3), long])
    expect([...bundle.subarray(0, 9)]).toEqual([0, 0, 0, 3, 1, 2, 3, 1, 2])
    expect(bundle.length).toBe(2 + 5 + 260)
  })

  it('come back as they were', () => {
    const entries = fc.array(fc.uint8Array({ maxLength: 600 }), { minLength: 1, maxLength: 256 })
    fc.assert(
      fc.property(entries, (some) => {
        expect(decodeBundle(encodeBundle(some))?.map((entry) => [...entry])).toEqual(some.map((entry) => [...entry]))
      }),
    )
  })

  it('random bytes are refused or are a bundle, never a crash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const entries = decodeBundle(bytes) ?? []
        expect(entries.length === 0 ? [...bytes] : [...encodeBundle(entries)]).toEqual([...bytes])
      }),
    )
  })

  it('bounds', () => {
    expect(encodeBundle([new Uint8Array(MAX_ENTRY_BYTES)]).length).toBe(MAX_ENTRY_BYTES + 2)
    expect(() => encodeBundle([new Uint8Array(MAX_ENTRY_BYTES + 1)])).toThrow(RangeError)
    expect(() => encodeBundle([])).toThrow(RangeError)
    expect(() => encodeBundle(Array.from({ length: 257 }, () => new Uint8Array(0)))).toThrow(RangeError)
    expect(decodeBundle(new Uint8Array(2 * 257))).toBeUndefined()
    expect(decodeBundle(Uint8Array.of(0))).toBeUndefined()
    expect(decodeBundle(Uint8Array.of(0, 2, 1))).toBeUndefined()
  })
})
