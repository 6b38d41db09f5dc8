import { describe, expect, it } from 'vitest'
import type { Hint } from '../bus/bus.ts'
import { manualClock } from '../clock.ts'
import { UserRates } from './user-rates.ts'

const T = '3f2504e0-4f89-41d3-9a0c-0305e82c3301'
const U = '3f2504e0-4f89-41d3-9a0c-0305e82c3302'
const limits = { userRequestsPerSecond: 20, userRequestBurst: 40, holdOffMs: 30_000 }

/** Nodes that hear each other, unless `deaf`. */
function setUp(count: number, { deaf = false } = {}) {
  const clock = manualClock()
  const told: Hint[] = []
  const nodes: UserRates[] = Array.from({ length: count }, (_, place) => {
    const publish = (hint: Hint) => {
      told.push(hint)
      if (deaf || (hint.k !== 'held' && hint.k !== 'rate')) return
      for (const [other, node] of nodes.entries()) if (other !== place) node.learn(hint)
    }
    return new UserRates({ limits, clock, bus: { publish }, node: String(place) })
  })
  /** Asks each node `each` times every 100 ms for so long; gives how many requests were taken in all. */
  const ask = (each: number, ms: number, user = U) => {
    let taken = 0
    for (let at = 0; at < ms; at += 100) {
      for (const node of nodes) for (let n = 0; n < each; n += 1) taken += node.take(T, user) === 0 ? 1 : 0
      clock.advance(100)
    }
    return taken
  }
  return { clock, nodes, told, ask }
}

describe('R-51 UserRates', () => {
  it('a user has one rate, with one burst, whatever they ask by; another has their own', () => {
    const { ask } = setUp(1)
    expect(ask(100, 1_000)).toBeLessThanOrEqual(40 + 20)
    expect(ask(100, 1_000)).toBeLessThanOrEqual(20)
    expect(ask(1, 1_000, T)).toBe(10)
  })

  it('over several nodes it is about the same rate: what is asked of others is counted within two seconds', () => {
    const { ask } = setUp(3)
    ask(10, 4_000)
    // A tenth of the limit is left to each node.
    expect(ask(10, 10_000)).toBeLessThanOrEqual(10 * 20 * 1.5)
  })

  it('[P6] with every hint lost each node holds the limit by itself', () => {
    const { ask } = setUp(2, { deaf: true })
    ask(10, 4_000)
    expect(ask(10, 10_000)).toBeLessThanOrEqual(2 * (10 * 20 + 1))
  })

  it('when the user asks elsewhere no more, all of the rate is back here', () => {
    const { nodes, clock } = setUp(1)
    const [node] = nodes
    if (node === undefined) throw new Error('there is one')
    for (let each = 0; each < 40; each += 1) node.take(T, U)
    node.learn({ k: 'rate', t: T, u: U, n: 'other', r: 20 })
    expect(node.take(T, U)).toBe(500)
    clock.advance(4_000)
    for (let each = 0; each < 40; each += 1) node.take(T, U)
    expect(node.take(T, U)).toBe(50)
  })

  it('who asks little is not worth a hint, and is forgotten', () => {
    const { ask, told, nodes, clock } = setUp(2)
    ask(0, 5_000)
    expect(told).toEqual([])
    for (const node of nodes) node.close()
    expect(clock.pending).toBe(0)
  })

  it('who goes on and on is held off everywhere, for as long as is stated and no longer than a node would itself', () => {
    const { nodes, clock } = setUp(2)
    const [here, there] = nodes
    let lost = 0
    for (let each = 0; each < 100; each += 1) lost += here?.losePatience(T, U) === true ? 1 : 0
    expect(lost).toBe(1)
    for (const node of nodes) expect(node.heldFor(T, U)).toBe(30_000)
    expect(there?.heldFor(T, T)).toBe(0)
    there?.learn({ k: 'held', t: T, u: T, until: clock.now() + 1e12 })
    expect(there?.heldFor(T, T)).toBe(30_000)
    clock.advance(30_000)
    for (const node of nodes) expect(node.heldFor(T, U)).toBe(0)
  })
})
