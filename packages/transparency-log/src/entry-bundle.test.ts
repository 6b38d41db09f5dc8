import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeBundle, growingBundle, MAX_ENTRY_BYTES } from './entry-bundle.ts'

describe('entry bundles', () => {
  it('are big-endian uint16 length-prefixed', () => {
    const long = new Uint8Array(258).fill(7)
    const bundle = growingBundle([new Uint8Array(0), Uint8Array.of(1, 2, 3), long]).bytes()
    expect([...bundle.subarray(0, 9)]).toEqual([0, 0, 0, 3, 1, 2, 3, 1, 2])
    expect(bundle.length).toBe(2 + 5 + 260)
  })

  it('come back as they were', () => {
    const entries = fc.array(fc.uint8Array({ maxLength: 600 }), { minLength: 1, maxLength: 256 })
    fc.assert(
      fc.property(entries, (some) => {
        expect(decodeBundle(growingBundle(some).bytes())?.map((entry) => [...entry])).toEqual(
          some.map((entry) => [...entry]),
        )
      }),
    )
  })

  it('random bytes are refused or are a bundle, never a crash', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        const entries = decodeBundle(bytes) ?? []
        expect(entries.length === 0 ? [...bytes] : [...growingBundle(entries).bytes()]).toEqual([...bytes])
      }),
    )
  })

  it('what a growing one has given stays as it was', () => {
    const bundle = growingBundle([Uint8Array.of(1)])
    const first = bundle.bytes()
    for (let i = 2; i <= 256; i++) bundle.push(new Uint8Array(1000).fill(i))
    expect([...first]).toEqual([0, 1, 1])
    expect(decodeBundle(bundle.bytes())?.map((entry) => entry[0])).toEqual(
      Array.from({ length: 256 }, (_, i) => (i + 1) % 256),
    )
    expect(() => bundle.push(new Uint8Array(0))).toThrow(RangeError)
  })

  it('bounds', () => {
    expect(growingBundle([new Uint8Array(MAX_ENTRY_BYTES)]).bytes().length).toBe(MAX_ENTRY_BYTES + 2)
    expect(() => growingBundle([new Uint8Array(MAX_ENTRY_BYTES + 1)]).bytes()).toThrow(RangeError)
    expect(growingBundle([]).bytes()).toEqual(Buffer.alloc(0))
    expect(() => growingBundle(Array.from({ length: 257 }, () => new Uint8Array(0))).bytes()).toThrow(RangeError)
    expect(decodeBundle(new Uint8Array(2 * 257))).toBeUndefined()
    expect(decodeBundle(Uint8Array.of(0))).toBeUndefined()
    expect(decodeBundle(Uint8Array.of(0, 2, 1))).toBeUndefined()
  })
})
