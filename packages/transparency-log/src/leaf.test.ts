import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalBytes } from './canonical-json.ts'
import { eventLeaf, eventLeaves, heartbeatLeaf, parseLeaf, voidLeaf } from './leaf.ts'

const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString()
const SIGNED = { at: 5, first: 3, last: 4, reason: 'lost', signature: 'AAAA', signer: 'k', writer: 'w' } as const

describe('leaves', () => {
  it('are spelt as documented', () => {
    expect(text(eventLeaf(canonicalBytes({ a: 1 }), 7, 'w-1'))).toBe('{"event":{"a":1},"seq":7,"writer":"w-1"}')
    expect(text(heartbeatLeaf(1_767_225_600_000, 8, 's'))).toBe(
      '{"heartbeat":{"at":1767225600000},"seq":8,"writer":"s"}',
    )
    expect(text(voidLeaf(SIGNED, 9, 's'))).toBe(
      '{"seq":9,"void":{"at":5,"first":3,"last":4,"reason":"lost","signature":"AAAA","signer":"k","writer":"w"},"writer":"s"}',
    )
  })

  it('of many events are those of each alone', () => {
    const events = [1, 22, 333].map((seq) => ({
      event: canonicalBytes({ n: 'x'.repeat(seq) }),
      seq,
      writer: `w${seq}`,
    }))
    expect(eventLeaves(events).map(text)).toEqual(
      events.map(({ event, seq, writer }) => text(eventLeaf(event, seq, writer))),
    )
    expect(eventLeaves([])).toEqual([])
  })

  it('an event’s leaf is itself canonical, and comes back', () => {
    const events = fc.dictionary(fc.string({ unit: 'binary' }), fc.jsonValue({ stringUnit: 'binary' }))
    const writers = fc.stringMatching(/^[A-Za-z0-9._:-]{1,64}$/)
    fc.assert(
      fc.property(events, fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), writers, (event, seq, writer) => {
        const bytes = eventLeaf(canonicalBytes(event), seq, writer)
        expect(text(bytes)).toBe(text(canonicalBytes({ event, seq, writer })))
        const parsed = parseLeaf(bytes)
        expect(parsed).toMatchObject({ kind: 'event', seq, writer })
        expect(canonicalBytes(parsed?.kind === 'event' ? parsed.event : '')).toEqual(canonicalBytes(event))
      }),
    )
  })

  it('the other shapes come back', () => {
    expect(parseLeaf(heartbeatLeaf(5, 1, 'w'))).toEqual({ kind: 'heartbeat', at: 5, seq: 1, writer: 'w' })
    expect(parseLeaf(voidLeaf(SIGNED, 1, 'w'))).toEqual({ kind: 'void', void: SIGNED, seq: 1, writer: 'w' })
  })

  it.each([
    '',
    'null',
    '[]',
    '{}',
    '{"seq":1,"writer":"w"}',
    '{"event":1,"seq":1,"writer":"w"}',
    '{"event":[],"seq":1,"writer":"w"}',
    '{"event":{},"seq":0,"writer":"w"}',
    '{"event":{},"seq":1.5,"writer":"w"}',
    '{"event":{},"seq":"1","writer":"w"}',
    '{"event":{},"seq":9007199254740992,"writer":"w"}',
    '{"event":{},"seq":1,"writer":""}',
    '{"event":{},"seq":1,"writer":"a b"}',
    '{"event":{},"seq":1,"writer":7}',
    '{"event":{},"more":1,"seq":1,"writer":"w"}',
    '{"event":{},"heartbeat":{"at":1},"seq":1,"writer":"w"}',
    '{"event":{},"seq":1,"seq":2,"writer":"w"}',
    '{"seq":1,"event":{},"writer":"w"}',
    '{"event": {},"seq":1,"writer":"w"}',
    '{"event":{"a":1.0},"seq":1,"writer":"w"}',
    '{"event":{"a":"\\u0041"},"seq":1,"writer":"w"}',
    '{"event":{"a":"\\ud800"},"seq":1,"writer":"w"}',
    '{"event":{},"seq":1,"writer":"w"}\n',
    '\ufeff{"event":{},"seq":1,"writer":"w"}',
    '{"heartbeat":{"at":-1},"seq":1,"writer":"w"}',
    '{"heartbeat":{"at":1,"b":1},"seq":1,"writer":"w"}',
    '{"heartbeat":{},"seq":1,"writer":"w"}',
    '{"seq":1,"void":{"at":1},"writer":"w"}',
    '{"seq":1,"void":{"at":5,"first":4,"last":3,"reason":"lost","signature":"","signer":"","writer":"w"},"writer":"s"}',
    '{"seq":1,"void":{"at":5,"first":3,"last":4,"reason":"bored","signature":"","signer":"","writer":"w"},"writer":"s"}',
  ])('%s is none', (bad) => {
    expect(parseLeaf(Buffer.from(bad))).toBeUndefined()
  })

  it('bytes that are not UTF-8 are none, though they would read as a replacement character', () => {
    const bytes = Buffer.from('{"event":{"a":"?"},"seq":1,"writer":"w"}')
    expect(parseLeaf(bytes)).toBeDefined()
    expect(parseLeaf(bytes.fill(0xff, bytes.indexOf('?'), bytes.indexOf('?') + 1))).toBeUndefined()
  })

  it('are not made without a number or a name', () => {
    for (const [seq, writer] of [
      [0, 'w'],
      [1.5, 'w'],
      [1, ''],
      [1, 'a"b'],
      [1, 'w'.repeat(65)],
    ] as const) {
      expect(() => eventLeaf(canonicalBytes({}), seq, writer)).toThrow(RangeError)
      expect(() => heartbeatLeaf(0, seq, writer)).toThrow(RangeError)
      expect(() => voidLeaf(SIGNED, seq, writer)).toThrow(RangeError)
    }
  })
})
