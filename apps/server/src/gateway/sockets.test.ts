import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Hint } from '../bus/bus.ts'
import { manualClock } from '../clock.ts'
import type { Connection } from './connection.ts'
import { Sockets } from './sockets.ts'

const who = { tenant: 't', user: 'u', session: 's' }
const PER_USER = 3

/** Nodes that hear each other; each socket is named in order of age, and is gone where it is ended. */
function setUp(count: number, { deaf = false } = {}) {
  const clock = manualClock()
  const open: { readonly name: number; readonly node: number; readonly connection: Connection }[] = []
  let names = 0
  const end = (node: number, ended: readonly Connection[]) => {
    for (const connection of ended) {
      const place = open.findIndex((each) => each.connection === connection)
      open.splice(place, 1)
      nodes[node]?.remove(connection, who)
    }
  }
  const nodes: Sockets[] = Array.from({ length: count }, (_, place) => {
    const publish = (hint: Hint) => {
      if (deaf || hint.k !== 'sockets') return
      for (const [other, node] of nodes.entries()) if (other !== place) end(other, node.learn(hint))
    }
    return new Sockets({ clock, bus: { publish }, node: String(place), perUser: PER_USER })
  })
  const add = (node: number) => {
    clock.advance(1)
    const connection = {} as Connection
    open.push({ name: (names += 1), node, connection })
    end(node, nodes[node]?.add(connection, who) ?? [])
  }
  const remove = (name: number) => {
    const place = open.findIndex((each) => each.name === name)
    const [gone] = place < 0 ? [] : open.splice(place, 1)
    if (gone !== undefined) nodes[gone.node]?.remove(gone.connection, who)
  }
  return {
    clock,
    nodes,
    add,
    remove,
    end,
    named: () => open.map(({ name }) => name),
    of: (node: number) => nodes[node],
  }
}

describe('R-51 Sockets', () => {
  it('the oldest goes, wherever it is', () => {
    const { add, named } = setUp(2)
    for (const node of [0, 0, 1, 1, 0]) add(node)
    expect(named()).toEqual([3, 4, 5])
  })

  it('whatever comes and goes on however many nodes, the youngest are open, and no more than there may be', () => {
    const step = fc.oneof(fc.record({ add: fc.nat(2) }), fc.record({ remove: fc.nat(40) }))
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const { add, remove, named } = setUp(3)
        let expected: number[] = []
        let names = 0
        for (const each of steps) {
          if ('add' in each) {
            add(each.add)
            expected = [...expected, (names += 1)].slice(-PER_USER)
          } else {
            remove(each.remove)
            expected = expected.filter((name) => name !== each.remove)
          }
          expect(named()).toEqual(expected)
        }
      }),
    )
  })

  it('[P6] with every hint lost each node holds the limit by itself', () => {
    const { add, named } = setUp(2, { deaf: true })
    for (const node of [0, 0, 0, 1, 1, 1, 0]) add(node)
    expect(named()).toEqual([2, 3, 4, 5, 6, 7])
  })

  it('a node that is gone is counted no more; one that lives says so again', () => {
    const { clock, add, named, of, end } = setUp(1)
    const told = (at: number[]) =>
      end(0, of(0)?.learn({ k: 'sockets', t: 't', u: 'u', n: 'other', at, ask: false }) ?? [])
    add(0)
    told([clock.now() + 1, clock.now() + 2])
    add(0)
    expect(named(), 'three of four').toEqual([2])
    clock.advance(75_000)
    add(0)
    add(0)
    expect(named()).toEqual([2, 3, 4])
  })
})
