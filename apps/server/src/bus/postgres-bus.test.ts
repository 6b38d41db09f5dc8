import { describe, expect, it } from 'vitest'
import { manualClock } from '../clock.ts'
import type { Listener } from '../storage/notifications.ts'
import type { Hint } from './bus.ts'
import { createPostgresBus } from './postgres-bus.ts'

const id = (n: number) => `3f2504e0-4f89-41d3-9a0c-${n.toString().padStart(12, '0')}`
const head = (channel: number, at: number): Hint => ({ k: 'channel', t: id(0), c: id(channel), head: at })

/** Notifications that all nodes share; each payload is sent when the one before is through. */
function wire() {
  const listeners: Listener[] = []
  const payloads: string[] = []
  let broken = false
  return {
    payloads,
    listeners,
    break: (now: boolean) => {
      broken = now
    },
    notifications: (_channel: string, listener: Listener) => {
      listeners.push(listener)
      return {
        publish: async (payload: string) => {
          if (broken) throw new Error('away')
          payloads.push(payload)
          for (const each of listeners) each.onPayload(payload)
        },
        close: () => Promise.resolve(),
      }
    },
  }
}

/** Payloads that are more than a greeting. */
const withHints = (payloads: readonly string[]) => payloads.filter((payload) => !payload.endsWith('"hints":[]}'))

const settle = async () => {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve()
}

describe('postgres bus', () => {
  it('tells other nodes, not the one that said it, many hints in one notification', async () => {
    const line = wire()
    const clock = manualClock()
    const [here, there] = [
      createPostgresBus(line, clock, () => undefined),
      createPostgresBus(line, clock, () => undefined),
    ]
    const heard: { here: Hint[]; there: Hint[] } = { here: [], there: [] }
    here.onHint((hint) => heard.here.push(hint))
    there.onHint((hint) => heard.there.push(hint))
    for (let each = 1; each <= 20; each += 1) here.publish(head(each, 7))
    await settle()
    expect(withHints(line.payloads)).toHaveLength(1)
    expect(heard.here).toEqual([])
    expect(heard.there).toEqual(Array.from({ length: 20 }, (_, place) => head(place + 1, 7)))
  })

  it('says only the latest of several about one thing, and never more than a notification holds', async () => {
    const line = wire()
    const clock = manualClock()
    const bus = createPostgresBus(line, clock, () => undefined)
    const heard: Hint[] = []
    createPostgresBus(line, clock, () => undefined).onHint((hint) => heard.push(hint))
    for (let at = 1; at <= 50; at += 1) bus.publish(head(1, at))
    for (let each = 2; each <= 300; each += 1) bus.publish(head(each, 1))
    await settle()
    expect(heard[0]).toEqual(head(1, 50))
    expect(heard).toHaveLength(300)
    expect(line.payloads.length).toBeGreaterThan(1)
    for (const payload of line.payloads) expect(payload.length).toBeLessThan(8_000)
  })

  it('R-19 says who may no longer do what before all else that waits', async () => {
    const line = wire()
    const clock = manualClock()
    const bus = createPostgresBus(line, clock, () => undefined)
    const heard: Hint[] = []
    createPostgresBus(line, clock, () => undefined).onHint((hint) => heard.push(hint))
    for (let each = 1; each <= 300; each += 1) bus.publish(head(each, 1))
    const revoked: Hint = { k: 'user', t: id(0), u: id(400), v: 2 }
    bus.publish(revoked)
    await settle()
    expect(heard[0]).toEqual(revoked)
    expect(heard).toHaveLength(301)
  })

  it('[P6] loses what cannot be sent, says so, and goes on', async () => {
    const line = wire()
    const clock = manualClock()
    const faults: unknown[] = []
    const bus = createPostgresBus(line, clock, (error) => faults.push(error))
    const heard: Hint[] = []
    createPostgresBus(line, clock, () => undefined).onHint((hint) => heard.push(hint))
    line.break(true)
    bus.publish(head(1, 1))
    await settle()
    line.break(false)
    bus.publish(head(1, 2))
    await settle()
    expect(faults).toHaveLength(1)
    expect(heard).toEqual([head(1, 2)])
  })

  it('a node that is alone sends nothing but a greeting now and then, until another answers it', async () => {
    const line = wire()
    const clock = manualClock()
    const here = createPostgresBus(line, clock, () => undefined)
    line.listeners[0]?.onGap()
    here.publish(head(1, 1))
    await settle()
    expect(withHints(line.payloads)).toHaveLength(1)
    clock.advance(4_000)
    here.publish(head(1, 2))
    await settle()
    expect(withHints(line.payloads)).toHaveLength(1)
    const heard: Hint[] = []
    const there = createPostgresBus(line, clock, () => undefined)
    there.onHint((hint) => heard.push(hint))
    line.listeners[1]?.onGap()
    await settle()
    here.publish(head(1, 3))
    await settle()
    expect(heard).toEqual([head(1, 3)])
    await there.close()
    line.listeners.pop()
    clock.advance(25_000)
    await settle()
    here.publish(head(1, 4))
    await settle()
    expect(withHints(line.payloads)).toHaveLength(2)
    await here.close()
    expect(clock.pending).toBe(0)
  })

  it('passes on that hints may have been lost, and takes nothing that is no hint', async () => {
    const line = wire()
    const clock = manualClock()
    const bus = createPostgresBus(line, clock, () => undefined)
    let gaps = 0
    const heard: Hint[] = []
    bus.onGap(() => {
      gaps += 1
    })
    const stop = bus.onHint((hint) => heard.push(hint))
    line.listeners[0]?.onGap()
    for (const payload of ['', 'x', '{}', '{"from":"x","hints":[{"k":"nonsense"}]}']) {
      line.listeners[0]?.onPayload(payload)
    }
    line.listeners[0]?.onPayload(JSON.stringify({ from: 'x', hints: [head(1, 1)] }))
    stop()
    line.listeners[0]?.onPayload(JSON.stringify({ from: 'x', hints: [head(1, 2)] }))
    expect(gaps).toBe(1)
    expect(heard).toEqual([head(1, 1)])
  })
})
