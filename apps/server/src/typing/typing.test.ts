import { describe, expect, it } from 'vitest'
import type { Bus, Hint } from '../bus/bus.ts'
import { manualClock } from '../clock.ts'
import { type Frame, payloadOf } from '../gateway/frame.ts'
import type { Hub } from '../gateway/hub.ts'
import { TypingSigns } from './typing.ts'

function setUp() {
  const clock = manualClock()
  const told: string[] = []
  const hints: Hint[] = []
  const reader = (user: string) => ({
    subscriber: { actor: { user } },
    tell: (frame: Frame) =>
      told.push(`${user} ${(JSON.parse(payloadOf(frame).toString()) as { active: boolean }).active}`),
  })
  const hub = { isRead: () => true, readers: () => [reader('lind'), reader('okafor')] } as unknown as Hub
  const bus = { publish: (hint: Hint) => hints.push(hint) } as unknown as Bus
  return { clock, told, hints, typing: new TypingSigns({ clock, hub, bus }) }
}

describe('R-49 typing', () => {
  it('is told to the others, not to oneself, and ends by itself', () => {
    const { clock, told, hints, typing } = setUp()
    typing.set('t', 'c', 'lind', true)
    expect(told).toEqual(['okafor true'])
    clock.advance(5_000)
    typing.set('t', 'c', 'lind', true)
    clock.advance(5_000)
    expect(told).toEqual(['okafor true', 'okafor true'])
    clock.advance(5_000)
    expect(told).toEqual(['okafor true', 'okafor true', 'okafor false'])
    expect(hints).toHaveLength(2)
    expect(clock.pending).toBe(0)
  })

  it('is not told again and again', () => {
    const { told, hints, typing } = setUp()
    for (let each = 0; each < 100; each += 1) typing.set('t', 'c', 'lind', true)
    expect(told).toHaveLength(1)
    typing.set('t', 'c', 'lind', false)
    typing.set('t', 'c', 'lind', false)
    expect(told).toEqual(['okafor true', 'okafor false'])
    expect(hints).toHaveLength(2)
  })
})
