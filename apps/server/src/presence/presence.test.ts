import { describe, expect, it } from 'vitest'
import type { Watch } from '../access/access.ts'
import type { AccessSnapshot } from '../access/snapshot.ts'
import type { Hint } from '../bus/bus.ts'
import { manualClock } from '../clock.ts'
import type { Asker } from '../gateway/asker.ts'
import { type Frame, payloadOf } from '../gateway/frame.ts'
import type { Subscription } from '../gateway/subscription.ts'
import { Presence, type Status } from './presence.ts'

const [TENANT, USER, COVER] = ['tenant', 'nurse', 'physician']
const said = (status: Status['status'], more: Partial<Status> = {}): Status => ({
  status,
  cover: null,
  until: null,
  ...more,
})

/** One reader of one channel that the nurse is in. Readings of who covers are answered when the test says so. */
function setUp() {
  const clock = manualClock()
  const frames: { status: string; cover: string | null }[] = []
  const keep = (frame: Frame) => void frames.push(JSON.parse(payloadOf(frame).toString()))
  const reader = { subscriber: {}, tell: keep } as unknown as Subscription
  const published: Hint[] = []
  const lookUps: (() => void)[] = []
  const listeners = new Set<(snapshot: AccessSnapshot) => void>()
  const snapshot = (user: string, status: 'active' | 'disabled') =>
    ({ access: { user, status, kind: 'person' }, channels: new Map([['channel', 0]]) }) as unknown as AccessSnapshot
  const watch = (): Watch => {
    let listener: ((snapshot: AccessSnapshot) => void) | null = null
    return {
      snapshot: snapshot(COVER, 'active'),
      onChange(one) {
        listener = one
        listeners.add(one)
      },
      stop: () => void (listener !== null && listeners.delete(listener)),
    }
  }
  const presence = new Presence({
    clock,
    hub: { readers: () => [reader] },
    bus: { publish: (hint) => void published.push(hint) },
    access: {
      load: (_, user) => Promise.resolve(snapshot(user, 'active')),
      watch: () => new Promise((resolve) => lookUps.push(() => resolve(watch()))),
    },
    onFault: (error) => {
      throw error
    },
  })
  const settle = async () => {
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve()
  }
  return {
    clock,
    presence,
    frames,
    published,
    settle,
    listeners,
    set: async (status: Status) => {
      const setting = presence.set(TENANT, USER, status)
      await settle()
      return { setting, found: async () => (lookUps.shift()?.(), await settle()) }
    },
    change: async (status: 'active' | 'disabled') => {
      for (const listener of [...listeners]) listener(snapshot(COVER, status))
      await settle()
    },
    asker: { tenant: TENANT, send: keep } as unknown as Asker,
  }
}

describe('presence', () => {
  it('R-51 is told at once, and of whoever goes on saying more once a second and the last of it, to readers and other nodes', async () => {
    const { clock, frames, published, set, settle } = setUp()
    for (let each = 0; each < 600; each += 1) await set(said(each % 2 === 0 ? 'busy' : 'off-duty'))
    expect([frames.length, published.length]).toEqual([1, 1])
    clock.advance(1_000)
    await settle()
    for (const heard of [frames, published]) {
      expect(heard).toHaveLength(2)
      expect(heard.at(-1)).toMatchObject({ status: 'off-duty' })
    }
    // Nobody has said more: nothing is told, and no timer stays.
    clock.advance(1_000)
    await settle()
    expect([frames.length, clock.pending]).toEqual([2, 0])
    await set(said('available'))
    expect(frames).toHaveLength(3)
  })

  it('tells others what was said last, though looking up who covers took longer', async () => {
    const { clock, frames, set, settle, listeners } = setUp()
    const slow = await set(said('busy', { cover: COVER }))
    await set(said('available'))
    await slow.found()
    await slow.setting
    clock.advance(1_000)
    await settle()
    expect(frames.at(-1)).toMatchObject({ status: 'available', cover: null })
    expect(listeners.size).toBe(0)
  })

  it('names nobody as cover who was disabled since, nor again when they are back', async () => {
    const { clock, presence, frames, published, set, change, settle, listeners, asker } = setUp()
    const { found } = await set(said('busy', { cover: COVER }))
    await found()
    expect(frames).toMatchObject([{ status: 'busy', cover: COVER }])
    await change('active')
    clock.advance(1_000)
    await settle()
    expect(frames).toHaveLength(1)
    await change('disabled')
    await change('active')
    expect(frames.slice(1)).toMatchObject([{ status: 'busy', cover: null }])
    // Every node sees that by itself.
    expect(published).toHaveLength(1)
    expect(listeners.size).toBe(0)
    presence.tell(asker, [{ user: USER }])
    expect(frames.at(-1)).toMatchObject({ status: 'busy', cover: null })
  })

  it('watches nobody for what has run out, or when the node stops', async () => {
    const { clock, presence, frames, set, listeners, asker } = setUp()
    await (await set(said('busy', { cover: COVER, until: clock.now() + 60_000 }))).found()
    clock.advance(60_000)
    presence.tell(asker, [{ user: USER }])
    expect([frames.length, listeners.size]).toEqual([1, 0])
    await (await set(said('busy', { cover: COVER }))).found()
    expect(listeners.size).toBe(1)
    presence.close()
    expect([listeners.size, clock.pending]).toEqual([0, 0])
  })
})
