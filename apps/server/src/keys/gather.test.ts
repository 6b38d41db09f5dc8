import { expect, it } from 'vitest'
import { gather } from './gather.ts'

function reader() {
  const readings: [string, readonly string[]][] = []
  const one = gather<string>(
    async (group, keys) => {
      readings.push([group, keys])
      if (group === 'away') throw new Error('away')
      return new Map(
        keys
          .filter((key) => key !== 'none')
          .map((key) => [key, key === 'gone' ? new Error('gone') : `${group}/${key}`]),
      )
    },
    (key) => new Error(`no ${key}`),
  )
  return { one, readings }
}

it('what is asked for in one turn is one reading for each group', async () => {
  const { one, readings } = reader()
  await expect(Promise.all([one('t', 'a'), one('u', 'b'), one('t', 'c'), one('t', 'a')])).resolves.toEqual([
    't/a',
    'u/b',
    't/c',
    't/a',
  ])
  expect(readings).toEqual([
    ['t', ['a', 'c']],
    ['u', ['b']],
  ])
  await one('t', 'd')
  expect(readings).toHaveLength(3)
})

it('one that is missing or gone fails alone; a reading that fails, fails for all of it', async () => {
  const { one } = reader()
  const asked = await Promise.allSettled([one('t', 'none'), one('t', 'gone'), one('t', 'a'), one('away', 'b')])
  expect(asked.map((each) => (each.status === 'fulfilled' ? each.value : String(each.reason)))).toEqual([
    'Error: no none',
    'Error: gone',
    't/a',
    'Error: away',
  ])
})

it('a great many are read in parts', async () => {
  const { one, readings } = reader()
  await Promise.all(Array.from({ length: 1_200 }, (_, n) => one('t', String(n))))
  expect(readings.map(([, keys]) => keys.length)).toEqual([500, 500, 200])
})
