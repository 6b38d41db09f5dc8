import { expect, it } from 'vitest'
import { manualTime } from './fake-server/index.ts'
import { TypingSignal, TypingUsers } from './typing.ts'

it('[R-49] typing is said at the first key, every three seconds, and is over after a pause', async () => {
  const time = manualTime()
  const said: [number, boolean][] = []
  const start = time.now()
  const signal = new TypingSignal(time, (active) => said.push([time.now() - start, active]))
  for (let key = 0; key < 8; key += 1) {
    signal.set(true)
    await time.advance(500)
  }
  await time.advance(10_000)
  expect(said).toEqual([
    [0, true],
    [3000, true],
    [8500, false],
  ])
})

it('a sent text ends it at once, and only if it had begun', () => {
  const said: boolean[] = []
  const signal = new TypingSignal(manualTime(), (active) => said.push(active))
  signal.set(false)
  signal.set(true)
  signal.set(false)
  signal.set(false)
  expect(said).toEqual([true, false])
})

it('who is heard no more has stopped', async () => {
  const time = manualTime()
  const changes: string[][] = []
  const users = new TypingUsers(
    (ms, run) => time.setTimer(ms, run),
    (now) => changes.push([...now]),
  )
  users.heard('a', true)
  await time.advance(5_000)
  users.heard('a', true)
  users.heard('b', true)
  await time.advance(5_000)
  users.heard('b', false)
  await time.advance(5_000)
  expect(changes).toEqual([['a'], ['a', 'b'], ['a'], []])
})
