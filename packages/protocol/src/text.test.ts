import fc from 'fast-check'
import { expect, it, vi } from 'vitest'
import { plainName, textProblem, typedText } from './text.ts'

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
  [`a${'\u0301'.repeat(30)}b${'\u0316'.repeat(30)}`, null],
  [`text a${'\u0301\u0316'.repeat(15)}\u0301`, 'too-many-marks'],
  ['\u0301'.repeat(31), 'too-many-marks'],
])('%j is judged %s', (typed, problem) => {
  expect(textProblem(typed)).toBe(problem)
})

it('normalising cannot lengthen a text past its bound', () => {
  // U+FB2C becomes three code units in NFC: 40 of them are 120.
  expect(text.safeParse('\uFB2C'.repeat(40)).success).toBe(false)
})

it('R-50: what would take long to normalise is not normalised, in whichever field it stands', () => {
  const normalize = vi.spyOn(String.prototype, 'normalize')
  const marks = `a${'\u0301'.repeat(60)}${'\u0316'.repeat(60)}`
  for (const schema of [text, typedText(1, 16_000), plainName]) expect(schema.safeParse(marks).success).toBe(false)
  expect(normalize).not.toHaveBeenCalled()
  normalize.mockRestore()
})
