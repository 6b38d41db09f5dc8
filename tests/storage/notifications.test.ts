import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { manualClock } from '../../apps/server/src/clock.ts'
import { StorageUnavailable } from '../../apps/server/src/storage/errors.ts'
import { MAX_PAYLOAD_BYTES } from '../../apps/server/src/storage/notifications.ts'
import { createTestDatabase, type TestDatabase } from '../_util/database.ts'
import { createFaultyLink, type FaultyLink } from '../_util/faulty-link.ts'

let store: TestDatabase
let link: FaultyLink

beforeAll(async () => {
  store = await createTestDatabase()
  link = await createFaultyLink(store.appUrl)
})
afterAll(async () => {
  await store.drop()
  await link.close()
})

describe('notifications', () => {
  it('reach every listener of the channel, whole, up to the bound', async () => {
    const database = await store.open()
    const heard: string[] = []
    const both = Promise.withResolvers<void>()
    const listen = async (name: string) => {
      const connected = Promise.withResolvers<void>()
      const onPayload = (text: string) => {
        if (heard.push(`${name}:${text.length}`) === 2) both.resolve()
      }
      const notifications = database.notifications('hints', { onPayload, onGap: connected.resolve })
      await connected.promise
      return notifications
    }
    const [a, b] = [await listen('a'), await listen('b')]
    await a.publish('x'.repeat(MAX_PAYLOAD_BYTES))
    await both.promise
    expect(heard.sort()).toEqual([`a:${MAX_PAYLOAD_BYTES}`, `b:${MAX_PAYLOAD_BYTES}`])
    await expect(a.publish('x'.repeat(MAX_PAYLOAD_BYTES + 1))).rejects.toThrow(StorageUnavailable)
    await Promise.all([a.close(), b.close()])
  })

  it('[P6] come back by themselves after a cut, and say that there was a gap', async () => {
    const clock = manualClock()
    const database = await store.open({ appUrl: link.url, clock })
    let gap = Promise.withResolvers<void>()
    const heard = vi.fn<(text: string) => void>()
    const notifications = database.notifications('hints', { onPayload: heard, onGap: () => gap.resolve() })
    await gap.promise
    gap = Promise.withResolvers()
    link.cut()
    await vi.waitFor(() => expect(clock.pending).toBe(1))
    await expect(notifications.publish('lost')).rejects.toThrow(StorageUnavailable)
    clock.advance(100)
    await vi.waitFor(() => expect(clock.pending).toBe(1))
    link.mend()
    clock.advance(200)
    await gap.promise
    await notifications.publish('found')
    await vi.waitFor(() => expect(heard).toHaveBeenCalledWith('found'))
    expect(heard).toHaveBeenCalledTimes(1)
    await notifications.close()
    expect(clock.pending).toBe(0)
  })
})
