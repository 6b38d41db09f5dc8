import { describe, expect, test } from 'vitest'
import { manualClock } from '../clock.ts'
import type { OpenSocketRow, SocketNews } from '../storage/open-sockets.ts'
import { SocketRegister } from './socket-register.ts'

const socket = (id: string): OpenSocketRow => ({
  id,
  user: 'u',
  session: 's',
  device: 'd',
  address: '127.0.0.1',
  openedAt: 0,
})

/** A store that holds what it is told, forgets at will, and is away when asked to be. */
function setUp() {
  const clock = manualClock(0)
  const held = new Map<string, Set<string>>()
  const said: SocketNews[] = []
  const store = { isAway: false, asked: 0, answers: Promise.resolve() }
  const register = new SocketRegister({
    clock,
    node: 'n',
    onFault: () => undefined,
    database: {
      async noteSockets(tenant, news) {
        store.asked += 1
        await store.answers
        if (store.isAway) throw new Error('away')
        said.push(news)
        const known = held.get(tenant)
        const ids = known ?? new Set<string>()
        held.set(tenant, ids)
        for (const { id } of news.opened) ids.add(id)
        for (const id of news.closed) ids.delete(id)
        return known !== undefined
      },
      async forgetNode(tenant) {
        held.delete(tenant)
      },
    },
  })
  return { clock, held, said, store, register, ids: (tenant = 't') => [...(held.get(tenant) ?? [])].toSorted() }
}

describe('the register of open sockets', () => {
  test('writes what has opened and closed, once, and says every ten seconds that the node is there', async () => {
    const { register, clock, said, ids } = setUp()
    register.opened('t', socket('a'))
    register.opened('t', socket('b'))
    register.opened('other', socket('c'))
    await register.flush()
    expect(ids()).toEqual(['a', 'b'])
    expect(ids('other')).toEqual(['c'])
    register.closed('t', 'a')
    await register.flush()
    expect(ids()).toEqual(['b'])
    const before = said.length
    clock.advance(9_000)
    await register.flush()
    expect(said).toHaveLength(before)
    clock.advance(1_000)
    await register.flush()
    expect(said.slice(before)).toMatchObject([
      { opened: [], closed: [] },
      { opened: [], closed: [] },
    ])
  })

  test('does not write one that came and went in between', async () => {
    const { register, said } = setUp()
    register.opened('t', socket('a'))
    register.closed('t', 'a')
    register.closed('t', 'nobody')
    await register.flush()
    expect(said.flatMap(({ opened, closed }) => [...opened, ...closed])).toEqual([])
  })

  test('writes again what a store that was away did not get, closes included', async () => {
    const { register, store, ids } = setUp()
    register.opened('t', socket('a'))
    await register.flush()
    store.isAway = true
    register.opened('t', socket('b'))
    register.closed('t', 'a')
    await register.flush()
    register.opened('t', socket('c'))
    store.isAway = false
    await register.flush()
    expect(ids()).toEqual(['b', 'c'])
  })

  test('asks a store that takes its time to say that it is away once, and not again every second', async () => {
    const { register, clock, store, ids } = setUp()
    let answer = () => {}
    store.isAway = true
    store.answers = new Promise((resolve) => {
      answer = resolve
    })
    register.opened('t', socket('a'))
    for (let second = 0; second < 60; second += 1) clock.advance(1_000)
    await Promise.resolve()
    expect(store.asked).toBe(1)
    answer()
    await register.close()
    expect(store.asked).toBe(1)
    expect(ids()).toEqual([])
  })

  test('writes all of them again where the store has forgotten the node', async () => {
    const { register, held, ids } = setUp()
    register.opened('t', socket('a'))
    await register.flush()
    held.clear()
    register.opened('t', socket('b'))
    await register.flush()
    await register.flush()
    expect(ids()).toEqual(['a', 'b'])
  })

  test('takes them out of the store at its end', async () => {
    const { register, held } = setUp()
    register.opened('t', socket('a'))
    await register.flush()
    await register.close()
    expect(held.size).toBe(0)
  })
})
