import { useCallback, useEffect, useRef } from 'react'

/** So much of a line’s end may be hidden, in pixels, and it still counts as seen. */
const SLACK_PX = 12

/** The highest sequence whose end is in sight in the scroller; 0 when there is none. */
function lastInSight(scroller: HTMLElement): number {
  const bottom = scroller.getBoundingClientRect().bottom + SLACK_PX
  let last = 0
  for (const row of scroller.querySelectorAll<HTMLElement>('[data-seq]')) {
    const box = row.getBoundingClientRect()
    if (box.height > 0 && box.bottom <= bottom) last = Math.max(last, Number(row.dataset['seq']))
  }
  return last
}

/**
 * “Read” means: the person had it before their eyes. So a message counts once its end has been in sight while the page was
 * visible and had the focus; nothing else does (peers’ users complain most of a “read” that is untrue).
 * @param visible whether the conversation is shown at all
 * @param onSeen the highest sequence seen so far
 * @returns to be called when the list has scrolled or changed
 */
export function useReading(scroller: HTMLElement | null, visible: boolean, onSeen: (seq: number) => void): () => void {
  const frame = useRef(0)

  const look = useCallback(() => {
    cancelAnimationFrame(frame.current)
    frame.current = requestAnimationFrame(() => {
      if (!visible || scroller === null || document.visibilityState !== 'visible' || !document.hasFocus()) return
      const seq = lastInSight(scroller)
      if (seq > 0) onSeen(seq)
    })
  }, [scroller, visible, onSeen])

  useEffect(() => {
    look()
    scroller?.addEventListener('scroll', look, { passive: true })
    window.addEventListener('focus', look)
    document.addEventListener('visibilitychange', look)
    return () => {
      cancelAnimationFrame(frame.current)
      scroller?.removeEventListener('scroll', look)
      window.removeEventListener('focus', look)
      document.removeEventListener('visibilitychange', look)
    }
  }, [look, scroller])

  return look
}
