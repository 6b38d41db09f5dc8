import { expect, test } from 'vitest'
import { auditSearch, localInput } from './search.ts'

const id = '0b7f3c3e-6f0e-4b7c-9a63-3a1d2b8f0c11'

test('filters of an address are taken where they are what they should be', () => {
  expect(
    auditSearch({
      actor: ` ${id.toUpperCase()} `,
      action: 'message.post',
      outcome: 'refused',
      from: '2026-11-22T03:00',
    }),
  ).toEqual({ actor: id, action: 'message.post', outcome: 'refused', from: new Date('2026-11-22T03:00').toISOString() })
})

test('what is no filter is left out', () => {
  expect(
    auditSearch({ actor: 'DOE, Jane', action: 'DROP TABLE', outcome: 'maybe', from: 'yesterday', page: '2' }),
  ).toEqual({})
  expect(auditSearch({ connection: 7, patient: null, until: '' })).toEqual({})
})

test('a time comes back to its field as it was typed', () => {
  expect(localInput(auditSearch({ from: '2026-11-22T03:07' }).from)).toBe('2026-11-22T03:07')
  expect(localInput(undefined)).toBe('')
})
