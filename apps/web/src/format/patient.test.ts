import { describe, expect, test } from 'vitest'
import { age, birthDate, mrnGroups, patientName } from './patient.ts'

describe('two identifiers, as a banner shows them', () => {
  test('the family name is in capitals and first', () => {
    expect(patientName({ family: 'Doe-Ängström', given: 'Jane Mary' })).toBe('DOE-ÄNGSTRÖM, Jane Mary')
  })

  test('a date of birth has its month in letters, and nothing invented where it is unknown', () => {
    expect(birthDate('1945-07-14')).toBe('14-Jul-1945')
    expect(birthDate(null)).toBeNull()
    expect(birthDate('1945-13-14')).toBeNull()
    expect(birthDate('1945')).toBeNull()
  })

  test.each([
    ['1945-07-14', '2026-11-22', '81y'],
    ['1945-07-14', '2026-07-13', '80y'],
    ['1945-07-14', '2026-07-14', '81y'],
    ['2024-11-23', '2026-11-22', '23m'],
    ['2024-11-22', '2026-11-22', '2y'],
    ['2026-10-23', '2026-11-22', '30d'],
    ['2026-11-22', '2026-11-22', '0d'],
    ['2026-10-22', '2026-11-22', '1m'],
  ])('born %s is on %s %s old', (born, today, expected) => {
    expect(age(born, new Date(`${today}T12:00:00`))).toBe(expected)
  })

  test('a birth in the future has no age', () => {
    expect(age('2027-01-01', new Date('2026-11-22T12:00:00'))).toBeNull()
  })

  test('a record number is grouped without changing it', () => {
    expect(mrnGroups('123456')).toEqual(['123', '456'])
    expect(mrnGroups('4857773456')).toEqual(['485', '777', '3456'])
    expect(mrnGroups('A-1234567')).toEqual(['A-1234567'])
    for (const mrn of ['1', '12345', '1234567', '12345678', '123456789012']) expect(mrnGroups(mrn).join('')).toBe(mrn)
  })
})
