import { useEffect } from 'react'

/** So near to the end counts as being there, in pixels. */
const NEAR_PX = 48

/**
 * Whoever reads the end of the list goes on reading it when the list gets lower: the composer grows, a keyboard slides up.
 * (What is appended is followed by the list itself.)
 */
export function useStickToBottom(scroller: HTMLElement | null): void {
  useEffect(() => {
    if (scroller === null) return
    // Null until the observer's first call, which is the list's first drawing: where it begins is the list's own business.
    let height: number | null = null
    const resized = new ResizeObserver(() => {
      const wasNear = height !== null && scroller.scrollHeight - scroller.scrollTop - height <= NEAR_PX
      height = scroller.clientHeight
      if (wasNear) scroller.scrollTop = scroller.scrollHeight
    })
    resized.observe(scroller)
    return () => resized.disconnect()
  }, [scroller])
}
