import type { ChannelSummary } from '@wardline/protocol'
import { describe, expect, test } from 'vitest'
import { withAllRead, withInboxChanged, withoutChannel, withRead } from './events.ts'
import { channelName, inboxSections, matching } from './sections.ts'

function channel(id: string, rest: Partial<ChannelSummary> = {}): ChannelSummary {
  return {
    id,
    kind: 'group',
    title: id,
    patient: null,
    with: [],
    head: 10,
    read: 10,
    unread: 0,
    urgent: 0,
    awaiting: { routine: 0, stat: 0, urgent: 0, since: null },
    lastAt: null,
    abilities: [],
    ...rest,
  }
}

const at = (minute: number) => `2026-11-22T03:${String(minute).padStart(2, '0')}:00.000Z`
const doe = {
  id: 'p',
  family: 'Müller-Doe',
  given: 'Jane',
  birthDate: '1945-07-14',
  mrn: '123456',
  sex: 'female' as const,
  deceased: false,
  channel: 'doe',
}

describe('the inbox', () => {
  test('what waits comes first, STAT before urgent, the longest wait before the newer', () => {
    const channels = [
      channel('rest', { lastAt: at(50) }),
      channel('new', { unread: 2, lastAt: at(40) }),
      channel('urgent-new', { lastAt: at(30), urgent: 1, unread: 1 }),
      channel('urgent-old', { lastAt: at(45), awaiting: { routine: 0, stat: 0, urgent: 1, since: at(5) } }),
      channel('stat', { lastAt: at(20) }),
    ]
    const delivered = new Map([['stat', { stat: 1, urgent: 0, since: at(20) }]])
    const sections = inboxSections(channels, delivered)
    const ids = (rows: readonly { channel: ChannelSummary }[]) => rows.map((each) => each.channel.id)
    expect(ids(sections.waiting)).toEqual(['stat', 'urgent-old', 'urgent-new'])
    expect(ids(sections.unread)).toEqual(['new'])
    expect(ids(sections.rest)).toEqual(['rest'])
  })

  test('what was delivered since the server counted is waited for as well', () => {
    const awaiting = { routine: 0, stat: 0, urgent: 2, since: at(9) }
    const delivered = new Map([['a', { stat: 1, urgent: 1, since: at(12) }]])
    const { waiting } = inboxSections([channel('a', { awaiting })], delivered)
    expect(waiting[0]?.waiting).toEqual({ stat: 1, urgent: 2, since: at(9) })
  })

  test('the rest is in order of the last message, conversations without one by name at the end', () => {
    const { rest } = inboxSections([channel('b'), channel('a'), channel('c', { lastAt: at(1) })], new Map())
    expect(rest.map((each) => each.channel.id)).toEqual(['c', 'a', 'b'])
  })

  test('a conversation is called by its patient, its title or its people', () => {
    expect(channelName(channel('x', { kind: 'patient', title: null, patient: doe }))).toBe('MÜLLER-DOE, Jane')
    expect(channelName(channel('x'))).toBe('x')
    const people = [{ user: 'u', displayName: 'Ada Vega', title: null }]
    expect(channelName(channel('x', { kind: 'direct', title: null, with: people }))).toBe('Ada Vega')
  })

  test('the filter takes words in any order, without accents, and record numbers', () => {
    const channels = [channel('doe', { title: null, patient: doe }), channel('Unit 4 West')]
    const found = (filter: string) => matching(channels, filter).map((each) => each.id)
    expect(found('jane muller')).toEqual(['doe'])
    expect(found('123456')).toEqual(['doe'])
    expect(found('WEST')).toEqual(['Unit 4 West'])
    expect(found('  ')).toHaveLength(2)
    expect(found('jane west')).toEqual([])
  })
})

describe('what live events do to the inbox', () => {
  const frame = { type: 'inbox.changed', channel: 'a', head: 12, unread: 2, urgent: 1 } as const

  test('counts and the time move with the head', () => {
    const [changed] = withInboxChanged([channel('a', { lastAt: at(1) })], frame, at(9)) ?? []
    expect(changed).toMatchObject({ head: 12, unread: 2, urgent: 1, lastAt: at(9) })
  })

  test('no news is the same list; an unknown conversation asks for a new one', () => {
    const list = [channel('a', { head: 12, unread: 2, urgent: 1 })]
    expect(withInboxChanged(list, frame, at(9))).toBe(list)
    expect(withInboxChanged([channel('b')], frame, at(9))).toBeNull()
  })

  test('what the server counted before it knew that I had read it is put right', () => {
    const readHere = new Map([['a', 12]])
    const list = [channel('a', { head: 12, read: 9, unread: 3, urgent: 1 }), channel('b')]
    expect(withAllRead(list, readHere)[0]).toMatchObject({ read: 12, unread: 0, urgent: 0 })
    expect(withAllRead([channel('a', { head: 13, read: 12, unread: 1 })], readHere)[0]).toMatchObject({ unread: 1 })
    const settled = [channel('a', { head: 12, read: 12 })]
    expect(withAllRead(settled, readHere)).toBe(settled)
  })

  test('reading to the end clears the counts, reading a part does not', () => {
    const list = [channel('a', { head: 12, read: 9, unread: 3, urgent: 1 })]
    expect(withRead(list, 'a', 12)[0]).toMatchObject({ read: 12, unread: 0, urgent: 0 })
    expect(withRead(list, 'a', 11)[0]).toMatchObject({ read: 11, unread: 3, urgent: 1 })
    expect(withRead(list, 'a', 9)).toBe(list)
    expect(withoutChannel(list, 'a')).toEqual([])
  })
})
