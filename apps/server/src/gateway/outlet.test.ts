import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Frame, textFrame } from './frame.ts'
import { Outlet, Turn } from './outlet.ts'

/** A socket that takes one write at a time, when it is told to. */
function slowSink() {
  const written: Buffer[] = []
  let done: (() => void) | null = null
  return {
    written,
    text: () => Buffer.concat(written).toString('latin1'),
    write(bytes: Buffer, whenDone: () => void) {
      if (done !== null) throw new Error('two writes at once')
      written.push(bytes)
      done = whenDone
    },
    drain() {
      const finish = done
      done = null
      finish?.()
    },
  }
}

function manualTurn() {
  const queued: (() => void)[] = []
  const turn = new Turn((run) => queued.push(run))
  return { turn, end: () => queued.splice(0).forEach((run) => run()), scheduled: () => queued.length }
}

const frame = (text: string): Frame => Buffer.from(text) as Frame
const owner = () => ({ closed: false })

describe('outlet', () => {
  it('writes what was sent in one turn in one write, and schedules the turn once for all sockets', () => {
    const { turn, end, scheduled } = manualTurn()
    const sinks = [slowSink(), slowSink()]
    const outlets = sinks.map((sink) => new Outlet(sink, turn, () => undefined))
    for (const outlet of outlets) for (const text of ['a', 'b', 'c']) outlet.push(frame(text), null)
    expect(scheduled()).toBe(1)
    expect(sinks[0]?.written).toEqual([])
    end()
    expect(sinks.map((sink) => sink.written.map(String))).toEqual([['abc'], ['abc']])
  })

  it('shares the bytes of a lone frame instead of copying them', () => {
    const { turn, end } = manualTurn()
    const sink = slowSink()
    const shared = textFrame('shared')
    new Outlet(sink, turn, () => undefined).push(shared, null)
    end()
    expect(sink.written[0]).toBe(shared)
  })

  it('has one write under way; the rest follows when that is through', () => {
    const { turn, end } = manualTurn()
    const sink = slowSink()
    const backlogs: number[] = []
    const outlet: Outlet = new Outlet(sink, turn, () => backlogs.push(outlet.backlog))
    outlet.push(frame('first'), null)
    end()
    outlet.push(frame('second'), null)
    end()
    expect(sink.written.map(String)).toEqual(['first'])
    expect(outlet.backlog).toBe(11)
    sink.drain()
    expect(sink.written.map(String)).toEqual(['first', 'second'])
    sink.drain()
    expect(backlogs).toEqual([6, 0])
  })

  it('[P5] does not write a frame whose owner was closed while it waited', () => {
    const { turn, end } = manualTurn()
    const sink = slowSink()
    const outlet = new Outlet(sink, turn, () => undefined)
    const [revoked, other] = [owner(), owner()]
    outlet.push(frame('1'), revoked)
    outlet.push(frame('2'), other)
    outlet.push(frame('3'), revoked)
    revoked.closed = true
    end()
    expect(sink.text()).toBe('2')
    const alone = new Outlet(slowSink(), turn, () => undefined)
    alone.push(frame('4'), revoked)
    end()
    expect(alone.backlog).toBe(0)
  })

  it('[P5] after a revocation writes nothing that waited, nor anything more', () => {
    const { turn, end } = manualTurn()
    const sink = slowSink()
    const outlet = new Outlet(sink, turn, () => undefined)
    outlet.push(frame('under way'), null)
    end()
    outlet.push(frame(' waiting'), null)
    outlet.discard()
    outlet.push(frame(' later'), null)
    sink.drain()
    end()
    expect(sink.text()).toBe('under way')
    expect(outlet.backlog).toBe(0)
  })

  it('finishes what waits, once, if the socket takes it', () => {
    const { turn, end } = manualTurn()
    const sink = slowSink()
    const outlet = new Outlet(sink, turn, () => undefined)
    outlet.push(frame('goodbye'), null)
    outlet.finish()
    outlet.push(frame('more'), null)
    sink.drain()
    end()
    expect(sink.text()).toBe('goodbye')
  })

  it('[P8] hands over no more than 64 KiB at a time', () => {
    const { turn, end } = manualTurn()
    const sink = slowSink()
    const outlet = new Outlet(sink, turn, () => undefined)
    for (let each = 0; each < 10; each += 1) outlet.push(frame('x'.repeat(20_000)), null)
    end()
    for (let each = 0; each < 10; each += 1) sink.drain()
    expect(sink.written.map((bytes) => bytes.length)).toEqual([60_000, 60_000, 60_000, 20_000])
  })

  it('keeps order and loses nothing, whatever the interleaving of sends, turns, drains and closed owners', () => {
    const step = fc.oneof(
      fc.record({
        do: fc.constant('push' as const),
        owner: fc.integer({ min: 0, max: 2 }),
        size: fc.integer({ min: 1, max: 40_000 }),
      }),
      fc.record({ do: fc.constant('end' as const) }),
      fc.record({ do: fc.constant('drain' as const) }),
      fc.record({ do: fc.constant('close' as const), owner: fc.integer({ min: 1, max: 2 }) }),
    )
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { turn, end } = manualTurn()
        const sink = slowSink()
        const outlet = new Outlet(sink, turn, () => undefined)
        const owners = [owner(), owner(), owner()]
        const sent: { frame: Frame; owner: { closed: boolean } }[] = []
        let number = 0
        for (const each of steps) {
          if (each.do === 'end') end()
          else if (each.do === 'drain') sink.drain()
          else if (each.do === 'close') owners[each.owner]!.closed = true
          else {
            number += 1
            const pushed = frame(`${number}:`.padEnd(each.size, '.'))
            sent.push({ frame: pushed, owner: owners[each.owner]! })
            outlet.push(pushed, owners[each.owner]!)
          }
        }
        end()
        for (let each = 0; each < 100; each += 1) sink.drain()
        const numbers = [...sink.text().matchAll(/(\d+):/g)].map(([, found]) => Number(found))
        expect(numbers).toEqual([...numbers].sort((a, b) => a - b))
        expect(new Set(numbers).size).toBe(numbers.length)
        // Whoever was never closed got everything.
        const whole = sent.flatMap(({ owner: of }, place) => (of.closed ? [] : [place + 1]))
        expect(numbers.filter((each) => sent[each - 1]?.owner.closed !== true)).toEqual(whole)
        expect(outlet.backlog).toBe(0)
      }),
    )
  })
})
