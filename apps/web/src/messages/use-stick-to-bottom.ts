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
    let near = true
    const measure = () => {
      near = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight <= NEAR_PX
    }
    const resized = new ResizeObserver(() => {
      if (near) scroller.scrollTop = scroller.scrollHeight
    })
    measure()
    scroller.addEventListener('scroll', measure, { passive: true })
    resized.observe(scroller)
    return () => {
      scroller.removeEventListener('scroll', measure)
      resized.disconnect()
    }
  }, [scroller])
}
