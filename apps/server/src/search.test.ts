import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { searchFor } from './search.ts'

describe('looking for what was typed', () => {
  it.each([
    ['muller', true],
    ['DOE müller', true],
    ['Müller-Doe, Jane', true],
    ['ja doe', true],
    ['123456', true],
    ['123 456', true],
    ['3456', true],
    ['Ｄｏｅ', true],
    ['jane smith', false],
    ['123457', false],
    ['-', false],
    ['  ', false],
  ])('%j in "Müller-Doe", "Jane", "123 456": %s', (typed, found) => {
    expect(searchFor(typed)('Müller-Doe', 'Jane', '123 456')).toBe(found)
  })

  it('a row without a value is looked at by its others', () => {
    expect(searchFor('rn')('Astrid Lind', null)).toBe(false)
    expect(searchFor('rn')('Astrid Lind', 'RN, 4 West')).toBe(true)
  })

  it('any text with a letter or digit finds itself, in whatever case and form', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.constantFrom('NFC', 'NFD', 'NFKC', 'NFKD'), (text, form) => {
        const typed = text.normalize(form)
        const says = /[\p{L}\p{N}]/u.test(text.normalize('NFKD'))
        expect(searchFor(typed)(text)).toBe(says)
        expect(searchFor(typed.toLowerCase())(text)).toBe(says)
      }),
    )
  })
})
