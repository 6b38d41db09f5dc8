import { expect, it } from 'vitest'
import { Coalesced } from './coalesced.ts'

const settle = async () => {
  for (let turn = 0; turn < 10; turn += 1) await Promise.resolve()
}

function setUp() {
  const endings: ((error?: Error) => void)[] = []
  const task = new Coalesced(
    () =>
      new Promise((resolve, reject) => {
        endings.push((error) => (error === undefined ? resolve() : reject(error)))
      }),
  )
  return { task, endings }
}

it('runs once at a time, and once more for all who asked meanwhile', async () => {
  const { task, endings } = setUp()
  const done: string[] = []
  void task.run().then(() => done.push('first'))
  void task.run().then(() => done.push('second'))
  void task.run().then(() => done.push('third'))
  expect(endings).toHaveLength(1)
  endings[0]?.()
  await settle()
  expect([done, endings.length]).toEqual([['first'], 2])
  endings[1]?.()
  await settle()
  expect([done, endings.length, task.underWay]).toEqual([['first', 'second', 'third'], 2, null])
})

it('fails for who asked for that run, and runs on for who came after them', async () => {
  const { task, endings } = setUp()
  const first = task.run()
  const second = task.run()
  endings[0]?.(new Error('away'))
  await expect(first).rejects.toThrow('away')
  await settle()
  endings[1]?.()
  await expect(second).resolves.toBeUndefined()
})
