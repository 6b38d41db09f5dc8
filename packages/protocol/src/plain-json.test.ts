import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isPlainJson, MAX_DEPTH, MAX_NAMES } from './plain-json.ts'

/** The same by the parser's own eyes: how deep a value is. */
function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depthOf))
}

const object = fc.dictionary(fc.string({ unit: 'binary', maxLength: 6 }), fc.jsonValue({ maxDepth: 4 }), { maxKeys: 8 })

describe('[P8] a frame reads the same to everybody', () => {
  it('what names everything once is plain as long as it is not too deep', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 12 }), fc.nat(4), (value, indent) => {
        expect(isPlainJson(JSON.stringify(value, null, indent))).toBe(depthOf(value) <= MAX_DEPTH)
      }),
    )
  })

  it('a name twice is not, wherever, however it is written', () => {
    const escaped = (name: string) =>
      [...Array(name.length).keys()].map((at) => `\\u${name.charCodeAt(at).toString(16).padStart(4, '0')}`).join('')
    fc.assert(
      fc.property(object, fc.nat(), fc.boolean(), fc.nat(4), (value, place, isEscaped, around) => {
        const names = Object.keys(value)
        fc.pre(names.length > 0)
        const name = names[place % names.length] ?? ''
        const again = isEscaped ? `"${escaped(name)}"` : JSON.stringify(name)
        const twice = `${JSON.stringify(value).slice(0, -1)},${again}:0}`
        expect(isPlainJson('['.repeat(around) + twice + ']'.repeat(around))).toBe(false)
      }),
    )
  })

  it('an object has so many names and no more', () => {
    const of = (count: number) => JSON.stringify(Object.fromEntries([...Array(count).keys()].map((n) => [`n${n}`, n])))
    expect(isPlainJson(of(MAX_NAMES))).toBe(true)
    expect(isPlainJson(of(MAX_NAMES + 1))).toBe(false)
  })

  it('looks at any text without a throw', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => typeof isPlainJson(text) === 'boolean'))
    for (const text of ['"', '"\\', '{"a', '}', ']]', ':', '{"a":', '[:', '\\"']) expect(isPlainJson(text)).toBe(true)
  })
})
