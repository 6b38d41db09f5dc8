/** Lines of progress are at least so far apart, in milliseconds. */
const EVERY_MS = 1_000

/** A line on standard error that says how far a long work is: rewritten in place on a terminal, silent elsewhere. */
export function progressLine(what: string): {
  show(progress: { entries: number; of: number }): void
  end(): void
} {
  let shownAt = 0
  let isShown = false
  return {
    show({ entries, of }) {
      const now = performance.now()
      if (!process.stderr.isTTY || now - shownAt < EVERY_MS) return
      shownAt = now
      isShown = true
      const percent = of === 0 ? 100 : Math.floor((100 * entries) / of)
      process.stderr.write(`\r${what}: ${entries} of ${of} entries (${percent} %)`)
    },
    end() {
      if (isShown) process.stderr.write('\r\u001b[K')
    },
  }
}
