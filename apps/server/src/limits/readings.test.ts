import * as fc from 'fast-check'
import { expect, it } from 'vitest'
import { Readings } from './readings.ts'

const settle = async () => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve()
}

it('R-51 of each user one is read at a time, all of them in the order of asking, whatever others ask for and whatever fails', async () => {
  const asked = fc.record({ user: fc.constantFrom('nurse', 'physician', 'pharmacist'), fails: fc.boolean() })
  const step = fc.oneof(asked, fc.nat(9))
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60, size: 'max' }), async (steps) => {
      const readings = new Readings()
      const wanted = new Map<string, number[]>()
      const begun = new Map<string, number[]>()
      const underWay: { user: string; end: () => void }[] = []
      const outcomes: Promise<string>[] = []
      const expected: string[] = []
      for (const [place, each] of steps.entries()) {
        if (typeof each === 'number') underWay.splice(each, 1)[0]?.end()
        else {
          const { user, fails } = each
          wanted.set(user, [...(wanted.get(user) ?? []), place])
          expected.push(fails ? 'failed' : `read ${place}`)
          const read = () =>
            new Promise<string>((resolve, reject) => {
              begun.set(user, [...(begun.get(user) ?? []), place])
              underWay.push({ user, end: () => (fails ? reject(new Error('away')) : resolve(`read ${place}`)) })
            })
          outcomes.push(readings.run(user, read).catch(() => 'failed'))
        }
        await settle()
        const users = underWay.map(({ user }) => user)
        expect(new Set(users).size).toBe(users.length)
        // Nobody waits for another.
        for (const [user, places] of wanted) {
          if ((begun.get(user)?.length ?? 0) < places.length) expect(users).toContain(user)
        }
      }
      for (let next = underWay.shift(); next !== undefined; next = underWay.shift()) {
        next.end()
        await settle()
      }
      expect(await Promise.all(outcomes)).toEqual(expected)
      expect(begun).toEqual(wanted)
    }),
  )
})
