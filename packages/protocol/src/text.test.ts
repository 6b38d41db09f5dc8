import fc from 'fast-check'
import { expect, it } from 'vitest'
import { textProblem, typedText } from './text.ts'

const text = typedText(1, 100)

it('R-50: what is accepted is in NFC, well formed and free of control characters', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 120 }), (typed) => {
      const parsed = text.safeParse(typed)
      if (!parsed.success) return
      const accepted = String(parsed.data)
      expect(accepted).toBe(typed.normalize('NFC'))
      expect(accepted.isWellFormed()).toBe(true)
      expect(accepted.length).toBeLessThanOrEqual(100)
      expect(accepted).not.toMatch(/[\u0000-\u0008\u202A-\u202E]/u)
    }),
  )
})

it('R-50: two spellings of one text become one', () => {
  expect(text.parse('e\u0301')).toBe(text.parse('\u00e9'))
})

it.each([
  ['\ud800', 'lone-surrogate'],
  ['a\u0007', 'control-character'],
  ['\u202eabc', 'control-character'],
  ['line\nnext\tcell', null],
  ['\u2067\u05d0\u2069', null],
])('%j is judged %s', (typed, problem) => {
  expect(textProblem(typed)).toBe(problem)
})

it('normalising cannot lengthen a text past its bound', () => {
  // U+FB2C becomes three code units in NFC: 40 of them are 120.
  expect(text.safeParse('\uFB2C'.repeat(40)).success).toBe(false)
})
