/** How many at once: enough that server and generator are both at work. */
const AT_ONCE = 8

/** The results in the order of `items`. The first failure is everybody's. */
export async function inParallel<T, R>(items: readonly T[], run: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  const queue = items.entries()
  const work = async () => {
    for (const [place, item] of queue) results[place] = await run(item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, work))
  return results
}
