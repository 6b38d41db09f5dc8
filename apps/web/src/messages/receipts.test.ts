import { expect, test } from 'vitest'
import { receiptLine, standingOf, standings } from './receipts.ts'

const person = (user: string, displayName: string) => ({ user, displayName, title: null, role: 'nurse', until: null })
const receipt = (user: string, delivered: number, read: number) => ({ user, delivered, read, at: null })

test('a receipt says no more than it knows', () => {
  expect(standingOf(undefined, 5)).toBe('sent')
  expect(standingOf(receipt('a', 4, 4), 5)).toBe('sent')
  expect(standingOf(receipt('a', 5, 4), 5)).toBe('delivered')
  expect(standingOf(receipt('a', 5, 5), 5)).toBe('read')
})

test('R-44 each person but the sender, the furthest first', () => {
  const members = [person('me', 'Lind'), person('v', 'Vega'), person('m', 'Moss'), person('o', 'Okafor')]
  const receipts = new Map([receipt('v', 9, 3), receipt('o', 9, 9)].map((each) => [each.user, each]))
  const people = standings(members, receipts, { seq: 5, sender: 'me' })
  expect(people.map((each) => `${each.displayName} ${each.standing}`)).toEqual([
    'Okafor read',
    'Vega delivered',
    'Moss sent',
  ])
})

test('one line names the furthest standing that somebody has reached', () => {
  const at = (...all: ('sent' | 'delivered' | 'read')[]) =>
    receiptLine(all.map((standing, index) => ({ user: `${index}`, displayName: '', role: null, standing })))
  expect(at('sent', 'sent')).toEqual({ standing: 'sent', count: 0, of: 2 })
  expect(at('sent', 'delivered')).toEqual({ standing: 'delivered', count: 1, of: 2 })
  expect(at('read', 'delivered')).toEqual({ standing: 'read', count: 1, of: 2 })
  expect(at('read', 'read')).toEqual({ standing: 'read', count: 2, of: 2 })
  expect(at()).toEqual({ standing: 'sent', count: 0, of: 0 })
})
