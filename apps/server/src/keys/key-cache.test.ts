import { randomUUID } from 'node:crypto'
import { describe, expect, it, vi } from 'vitest'
import { manualClock } from '../clock.ts'
import { StorageUnavailable } from '../storage/errors.ts'
import { type SealKey, sealKey } from './envelope.ts'
import { KeyCache } from './key-cache.ts'

const make = () => sealKey(randomUUID(), Buffer.alloc(32))
const loader = (...answers: (SealKey | Error)[]) => {
  const load = vi.fn<() => Promise<SealKey>>()
  for (const answer of answers) {
    if (answer instanceof Error) load.mockRejectedValueOnce(answer)
    else load.mockResolvedValueOnce(answer)
  }
  return load
}
/** Lets what was promised happen. */
const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

describe('key cache', () => {
  it('loads once for all who ask, and again when the time is over', async () => {
    const clock = manualClock()
    const cache = new KeyCache(clock, { entries: 10, ms: 1_000 })
    const [a, b] = [make(), make()]
    const load = loader(a, b)
    expect(await Promise.all([cache.get('k', load), cache.get('k', load), cache.get('k', load)])).toEqual([a, a, a])
    clock.advance(999)
    expect(await cache.get('k', load)).toBe(a)
    clock.advance(1)
    expect(await cache.get('k', load)).toBe(b)
    expect(load).toHaveBeenCalledTimes(2)
  })

  it('does not keep a failure', async () => {
    const cache = new KeyCache(manualClock(), { entries: 10, ms: 1_000 })
    const key = make()
    const load = loader(new Error('away'), key)
    await expect(cache.get('k', load)).rejects.toThrow('away')
    expect(await cache.get('k', load)).toBe(key)
  })

  it('is bounded: what was used longest ago goes', async () => {
    const cache = new KeyCache(manualClock(), { entries: 2, ms: 1_000 })
    const load = vi.fn(() => Promise.resolve(make()))
    await cache.get('a', load)
    await cache.get('b', load)
    await cache.get('a', load)
    await cache.get('c', load)
    expect(cache.peek('a', load)).toBeDefined()
    expect(cache.peek('b', load)).toBeUndefined()
    expect(load).toHaveBeenCalledTimes(3)
  })

  it('peeks without waiting, and renews what is in use before it lapses', async () => {
    const clock = manualClock()
    const cache = new KeyCache(clock, { entries: 10, ms: 1_000 })
    const [a, b] = [make(), make()]
    const load = loader(a, b)
    expect(cache.peek('k', load)).toBeUndefined()
    await cache.get('k', load)
    clock.advance(500)
    expect(cache.peek('k', load)).toBe(a)
    expect(cache.peek('k', load)).toBe(a)
    await settle()
    clock.advance(900)
    expect(cache.peek('k', load)).toBe(b)
    expect(load).toHaveBeenCalledTimes(3)
  })

  it('R-60 drops at renewal what was shredded meanwhile, but not what only cannot be asked', async () => {
    const clock = manualClock()
    const cache = new KeyCache(clock, { entries: 10, ms: 1_000 })
    const a = make()
    const load = loader(a, new StorageUnavailable('away'), new Error('destroyed'))
    await cache.get('k', load)
    clock.advance(600)
    cache.peek('k', load)
    await settle()
    expect(cache.peek('k', load)).toBe(a)
    await settle()
    expect(cache.peek('k', load)).toBeUndefined()
  })

  it('forgets when told', async () => {
    const cache = new KeyCache(manualClock(), { entries: 10, ms: 1_000 })
    await cache.get('k', loader(make()))
    cache.forget('k')
    expect(cache.peek('k', loader())).toBeUndefined()
  })
})
