import { expect, test } from 'vitest'
import { matchingEntries, type PaletteEntry } from './palette-entries.ts'

const entry = (text: string, detail = ''): PaletteEntry => ({
  key: text,
  kind: 'go',
  text,
  detail,
  run: () => undefined,
})
const entries = [
  entry('DOE, Jane', '14-Jul-1945 123456'),
  entry('MÜLLER, Ana', '01-Jan-1980 778120'),
  entry('Audit'),
  entry('Reviews of the audit'),
]
const found = (typed: string) => matchingEntries(entries, typed).map(({ text }) => text)

test('each word counts, without case and accents, in name and identifiers', () => {
  expect(found('muller')).toEqual(['MÜLLER, Ana'])
  expect(found('jane doe')).toEqual(['DOE, Jane'])
  expect(found('ana 7781')).toEqual(['MÜLLER, Ana'])
  expect(found('1945 nobody')).toEqual([])
})

test('what begins with it comes first', () => {
  expect(found('audit')).toEqual(['Audit', 'Reviews of the audit'])
})

test('without a word, the first of them', () => {
  expect(found('  ')).toEqual(entries.map(({ text }) => text))
  const many = Array.from({ length: 40 }, (_, at) => entry(`Screen ${at}`))
  expect(matchingEntries(many, '')).toHaveLength(12)
})
