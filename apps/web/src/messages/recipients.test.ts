import type { Member, Receipt } from '@wardline/protocol'
import { expect, test } from 'vitest'
import type { Presence } from '../wardline/presence.tsx'
import { recipientsOf } from './recipients.ts'

const member = (user: string): Member => ({
  user,
  displayName: user.toUpperCase(),
  title: null,
  role: null,
  until: null,
})
const receipt = (user: string, delivered: number): Receipt => ({ user, delivered, read: 0, at: null })
const members = ['me', 'ana', 'bo', 'cy'].map(member)
const receipts = new Map([receipt('ana', 9), receipt('bo', 4)].map((each) => [each.user, each]))
const facts = { members, receipts, presence: new Map<string, Presence>(), me: 'me', head: 9, now: 1_000 }
const said = (status: Presence['status'], more: Partial<Presence> = {}): Presence => ({
  status,
  cover: null,
  until: null,
  ...more,
})

test('a message goes to everybody but its sender', () => {
  expect(recipientsOf({ ...facts, priority: 'routine' })).toEqual({ names: ['ANA', 'BO', 'CY'], unreached: [] })
})

test('of what cannot wait it is told whose devices have not got the latest', () => {
  const { unreached } = recipientsOf({ ...facts, priority: 'stat' })
  expect(unreached.map(({ user, why }) => [user, why])).toEqual([
    ['bo', 'behind'],
    ['cy', 'behind'],
  ])
})

test('who has said that they are busy or off duty is named, with who covers, as long as it holds', () => {
  const presence = new Map([
    ['ana', said('off-duty', { cover: 'cy' })],
    ['bo', said('busy', { until: new Date(1_000).toISOString() })],
    ['cy', said('available')],
  ])
  expect(recipientsOf({ ...facts, presence, priority: 'routine' }).unreached).toEqual([
    { user: 'ana', name: 'ANA', why: 'off-duty', cover: 'CY' },
  ])
})
