/** So many of a test's calls are under way at once. */
const WIDTH = 6

/** Does something for each, a few at a time. */
export async function inTurns<T>(items: Iterable<T>, run: (item: T) => Promise<unknown>): Promise<void> {
  const left = [...items]
  await Promise.all(
    Array.from({ length: WIDTH }, async () => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) await run(next)
    }),
  )
}
