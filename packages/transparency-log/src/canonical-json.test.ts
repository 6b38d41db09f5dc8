import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { CanonicalJsonError, canonicalBytes, canonicalJson, MAX_CANONICAL_DEPTH } from './canonical-json.ts'

/** RFC 8785 Appendix B: IEEE 754 bits and the text they must become. */
const NUMBERS: readonly [bits: string, text: string][] = [
  ['0000000000000000', '0'],
  ['8000000000000000', '0'],
  ['0000000000000001', '5e-324'],
  ['8000000000000001', '-5e-324'],
  ['7fefffffffffffff', '1.7976931348623157e+308'],
  ['ffefffffffffffff', '-1.7976931348623157e+308'],
  ['4340000000000000', '9007199254740992'],
  ['c340000000000000', '-9007199254740992'],
  ['4430000000000000', '295147905179352830000'],
  ['44b52d02c7e14af5', '9.999999999999997e+22'],
  ['44b52d02c7e14af6', '1e+23'],
  ['44b52d02c7e14af7', '1.0000000000000001e+23'],
  ['444b1ae4d6e2ef4e', '999999999999999700000'],
  ['444b1ae4d6e2ef4f', '999999999999999900000'],
  ['444b1ae4d6e2ef50', '1e+21'],
  ['3eb0c6f7a0b5ed8c', '9.999999999999997e-7'],
  ['3eb0c6f7a0b5ed8d', '0.000001'],
  ['41b3de4355555553', '333333333.3333332'],
  ['41b3de4355555554', '333333333.33333325'],
  ['41b3de4355555555', '333333333.3333333'],
  ['41b3de4355555556', '333333333.3333334'],
  ['41b3de4355555557', '333333333.33333343'],
  ['becbf647612f3696', '-0.0000033333333333333333'],
  ['43143ff3c1cb0959', '1424953923781206.2'],
]

function fromBits(bits: string): number {
  const view = new DataView(new ArrayBuffer(8))
  view.setBigUint64(0, BigInt(`0x${bits}`))
  return view.getFloat64(0)
}

describe('RFC 8785 vectors', () => {
  it.each(NUMBERS)('§ Appendix B: %s is written %s', (bits, text) => {
    expect(canonicalJson(fromBits(bits))).toBe(text)
  })

  it('§3.2.2: the sample of primitive types', () => {
    const parsed: unknown = JSON.parse(
      String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
    )
    expect(canonicalJson(parsed)).toBe(
      String.raw`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"string":"€$\u000f\nA'B\"\\\\\"/"}`,
    )
  })

  it('§3.2.3: members are sorted by UTF-16 code units, not by code points', () => {
    const names = ['\u20ac', '\r', '\ufb33', '1', '\u{1f600}', '\u0080', '\u00f6']
    const sorted = ['\r', '1', '\u0080', '\u00f6', '\u20ac', '\u{1f600}', '\ufb33']
    const object = Object.fromEntries(names.map((name, i) => [name, i]))
    const expected = sorted.map((name) => `${JSON.stringify(name)}:${names.indexOf(name)}`)
    expect(canonicalJson(object)).toBe(`{${expected.join(',')}}`)
  })

  it('§3.2.4: bytes are UTF-8', () => {
    expect(Buffer.from(canonicalBytes({ a: '€' })).toString('hex')).toBe('7b2261223a22e282ac227d')
  })
})

describe('what has no canonical form is refused, never dropped', () => {
  class Instance {
    a = 1
  }
  const cyclic: unknown[] = []
  cyclic.push(cyclic)
  it.each<[string, unknown, string]>([
    ['undefined', undefined, '$'],
    ['undefined member', { a: { b: undefined } }, '$.a.b'],
    ['array hole', [1, , 2], '$[1]'], // oxlint-disable-line no-sparse-arrays
    ['function', { f: () => 1 }, '$.f'],
    ['symbol', [Symbol('s')], '$[0]'],
    ['bigint', { a: [1n] }, '$.a[0]'],
    ['NaN', { a: Number.NaN }, '$.a'],
    ['infinity', [Number.NEGATIVE_INFINITY], '$[0]'],
    ['date', { at: new Date(0) }, '$.at'],
    ['map', new Map(), '$'],
    ['bytes', { a: new Uint8Array(1) }, '$.a'],
    ['boxed string', new String('a'), '$'],
    ['instance', new Instance(), '$'],
    ['symbol key', { [Symbol('k')]: 1 }, '$'],
    ['lone high surrogate', { a: 'x\ud800y' }, '$.a'],
    ['lone low surrogate', ['\udc00'], '$[0]'],
    ['surrogate in a name', { 'a\udfff': 1 }, '$.a\ufffd'],
  ])('%s', (_, value, path) => {
    expect(() => canonicalJson(value)).toThrow(CanonicalJsonError)
    expect(() => canonicalBytes(value)).toThrow(expect.objectContaining({ path }))
  })

  it('a cycle ends at the depth bound', () => {
    expect(() => canonicalJson(cyclic)).toThrow(/nested deeper/)
  })

  it('exactly the bound is allowed', () => {
    const nest = (depth: number): unknown => (depth === 0 ? 1 : [nest(depth - 1)])
    expect(canonicalJson(nest(MAX_CANONICAL_DEPTH))).toHaveLength(2 * MAX_CANONICAL_DEPTH + 1)
    expect(() => canonicalJson(nest(MAX_CANONICAL_DEPTH + 1))).toThrow(CanonicalJsonError)
  })
})

describe('properties', () => {
  const json = fc.jsonValue({ stringUnit: 'binary', maxDepth: 5 })

  it('the text parses back to the value, and is a fixed point', () => {
    fc.assert(
      fc.property(json, (value) => {
        const text = canonicalJson(value)
        expect(JSON.parse(text)).toEqual(JSON.parse(JSON.stringify(value)))
        expect(canonicalJson(JSON.parse(text))).toBe(text)
      }),
      { numRuns: 500 },
    )
  })

  it('the order in which members were set does not matter', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string({ unit: 'binary' }), json), (object) => {
        const reversed = Object.fromEntries(Object.entries(object).reverse())
        expect(canonicalJson(reversed)).toBe(canonicalJson(Object.fromEntries(Object.entries(object))))
      }),
    )
  })

  it('every string of code points is written as JSON.stringify writes it', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(canonicalJson(text)).toBe(JSON.stringify(text))
      }),
    )
  })
})
