/** Resolves when the condition holds: looked at now, and whenever `subscribe` calls back. */
export function until(subscribe: (run: () => void) => () => void, holds: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const stop = subscribe(check)
    check()
    function check() {
      if (!holds()) return
      // `subscribe` may call back before it has returned.
      queueMicrotask(() => stop())
      resolve()
    }
  })
}
