import { expect, test } from 'vitest'
import { matchingPeople } from './matching-people.ts'

const person = (id: string, displayName: string, title: string | null, ...roles: string[]) => ({
  id,
  displayName,
  title,
  roles,
})
const people = [
  person('o', 'Ada Okafor', 'Attending physician', 'physician'),
  person('l', 'Märta Lind', null, 'nurse'),
  person('v', 'Luis Vega', 'Pharmacist', 'pharmacist'),
]
const found = (filter: string, except: string[] = []) =>
  matchingPeople(people, filter, new Set(except)).map((each) => each.id)

test('people are found by any part of name, title or role, in the order of their names', () => {
  expect(found('')).toEqual(['o', 'v', 'l'])
  expect(found('marta')).toEqual(['l'])
  expect(found('physician ada')).toEqual(['o'])
  expect(found('nurse')).toEqual(['l'])
  expect(found('nobody')).toEqual([])
})

test('whoever is chosen already is not offered again', () => {
  expect(found('', ['o', 'v'])).toEqual(['l'])
})

test('at most fifty are offered', () => {
  const many = Array.from({ length: 80 }, (_, index) => person(`${index}`, `Person ${index}`, null))
  expect(matchingPeople(many, 'person', new Set())).toHaveLength(50)
})
