import type { ChannelEvent } from '@wardline/protocol'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { amendmentOf, append, emptyTimeline, messageById, prepend, rewind, skip, type Timeline } from './timeline.ts'

const channel = '00000000-0000-4000-8000-000000000001'
const id = (n: number) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`

function event(seq: number, body: ChannelEvent['event']): ChannelEvent {
  return {
    type: 'channel.event',
    channel,
    seq,
    at: `2026-11-22T03:00:00.${String(seq % 1000).padStart(3, '0')}Z`,
    event: body,
  }
}

function posted(seq: number, text = `m${seq}`): ChannelEvent {
  return event(seq, {
    type: 'message.posted',
    message: id(seq),
    sender: id(900),
    clientId: id(seq + 5000),
    body: text,
    priority: 'routine',
    intent: null,
    ackRequired: false,
    inReplyTo: null,
    mentions: [],
    attachments: [],
    to: [],
  })
}

const corrected = (seq: number, of: number, body: string) =>
  event(seq, { type: 'message.corrected', message: id(of), by: id(900), body })
const acknowledged = (seq: number, of: number, by: number) =>
  event(seq, { type: 'message.acknowledged', message: id(of), by: id(by), response: 'seen' })

const bodies = (timeline: Timeline) => timeline.items.map((each) => (each.kind === 'message' ? each.body : each.kind))

describe('a timeline', () => {
  test('[P3] takes each sequence once, whatever comes twice', () => {
    const first = append(emptyTimeline(0), [posted(1), posted(2)])
    const again = append(first, [posted(2), posted(3)])
    expect(bodies(again)).toEqual(['m1', 'm2', 'm3'])
    expect(again.head).toBe(3)
    expect(append(again, [posted(1)])).toBe(again)
  })

  test('a correction is kept beside the original, and an older page brings its own', () => {
    const live = append(emptyTimeline(2), [corrected(3, 1, 'second'), corrected(4, 1, 'third')])
    const whole = prepend(live, [posted(1, 'first'), corrected(2, 1, 'early')], true)
    expect(messageById(whole, id(1))?.body).toBe('first')
    expect(amendmentOf(whole, id(1)).correction?.body).toBe('third')
    expect(whole.complete).toBe(true)
    expect(whole.from).toBe(0)
  })

  test('an acknowledgement counts once for each person', () => {
    const timeline = append(emptyTimeline(0), [
      posted(1),
      acknowledged(2, 1, 901),
      acknowledged(3, 1, 902),
      acknowledged(4, 1, 901),
    ])
    expect(amendmentOf(timeline, id(1)).acknowledgements.map((each) => each.by)).toEqual([id(902), id(901)])
  })

  test('a recall keeps the message in its place', () => {
    const timeline = append(emptyTimeline(0), [
      posted(1),
      event(2, { type: 'message.recalled', message: id(1), by: id(900), reason: 'wrong-patient' }),
    ])
    expect(bodies(timeline)).toEqual(['m1'])
    expect(amendmentOf(timeline, id(1)).recall?.reason).toBe('wrong-patient')
  })

  test('what cannot be had is said', () => {
    const timeline = append(skip(append(emptyTimeline(0), [posted(1)]), 2, 5), [posted(6)])
    expect(bodies(timeline)).toEqual(['m1', 'hole', 'm6'])
  })

  test('what a restored server no longer knows is gone', () => {
    const whole = append(emptyTimeline(0), [posted(1), posted(2), corrected(3, 1, 'second'), acknowledged(4, 2, 901)])
    const back = rewind(whole, 2)
    expect(bodies(back)).toEqual(['m1', 'm2'])
    expect(amendmentOf(back, id(1)).correction).toBeNull()
    expect(amendmentOf(back, id(2)).acknowledgements).toEqual([])
    expect(bodies(append(back, [posted(3, 'other')]))).toEqual(['m1', 'm2', 'other'])
    expect(rewind(whole, 9)).toBe(whole)
  })

  test('an empty page of the past ends the search for more', () => {
    const timeline = prepend(append(emptyTimeline(7), [posted(8)]), [], true)
    expect(timeline).toMatchObject({ complete: true, from: 0 })
  })

  test('however the events are cut into live ones and pages of the past, the timeline is the same', () => {
    const anyEvent = fc.oneof(
      fc.constant((seq: number) => posted(seq)),
      fc.nat({ max: 30 }).map((of) => (seq: number) => corrected(seq, of, `c${seq}`)),
      fc.tuple(fc.nat({ max: 30 }), fc.nat({ max: 3 })).map(
        ([of, by]) =>
          (seq: number) =>
            acknowledged(seq, of, 900 + by),
      ),
    )
    fc.assert(
      fc.property(
        fc.array(anyEvent, { minLength: 1, maxLength: 30 }),
        fc.nat({ max: 30 }),
        fc.integer({ min: 1, max: 7 }),
        (makers, cut, size) => {
          const events = makers.map((make, index) => make(index + 1))
          const whole = append(emptyTimeline(0), events)
          const after = Math.min(cut, events.length)
          let timeline = append(emptyTimeline(after), events.slice(after))
          for (let end = after; end > 0; end -= size) {
            const begin = Math.max(0, end - size)
            timeline = prepend(timeline, events.slice(begin, end), begin === 0)
          }
          expect(timeline.items).toEqual(whole.items)
          expect(timeline.amendments).toEqual(whole.amendments)
          expect(timeline).toMatchObject({ from: 0, head: events.length, complete: true })
        },
      ),
    )
  })
})
