import { type RefObject, useEffect } from 'react'

/** How often it is looked whether the list stands where it begins, and for how long, in milliseconds. */
const LOOK_MS = 50
const LONGEST_MS = 3_000
/** So often in a row it must stand there: fonts and heights that come late move it once more. */
const STEADY = 3
/** So near to the end counts as being there, in pixels. */
const NEAR_PX = 48
/** So far below the top, in pixels: under the line that says what is new, and a little of what came before. */
const BELOW_TOP_PX = 176
/** What a person does to scroll: from then on the list is theirs. */
const OWN_ACTS = ['wheel', 'touchstart', 'pointerdown', 'keydown'] as const

interface Beginning {
  /** The sequence of the line that is to be in sight at first; null: the end of the list. */
  readonly seq: number | null
  /** Scrolls there. */
  readonly go: RefObject<() => void>
}

/**
 * Sees to it that the list begins where it should. The list itself scrolls there once, by heights that it has guessed; on a slow
 * workstation the true ones come after it has stopped correcting, and what is new would stand below the edge.
 */
export function useBeginAt(scroller: HTMLElement | null, { seq, go }: Beginning): void {
  useEffect(() => {
    if (scroller === null) return
    let steady = 0
    let looks = 0
    const stop = () => clearInterval(timer)
    const timer = setInterval(() => {
      looks += 1
      steady = isThere(scroller, seq) ? steady + 1 : 0
      if (steady >= STEADY || looks * LOOK_MS >= LONGEST_MS) stop()
      else if (steady === 0) go.current()
    }, LOOK_MS)
    for (const act of OWN_ACTS) scroller.addEventListener(act, stop, { once: true, passive: true })
    return () => {
      stop()
      for (const act of OWN_ACTS) scroller.removeEventListener(act, stop)
    }
  }, [scroller, seq, go])
}

function isThere(scroller: HTMLElement, seq: number | null): boolean {
  const atEnd = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight <= NEAR_PX
  if (seq === null) return atEnd
  const row = scroller.querySelector(`[data-seq="${seq}"]`)
  if (row === null) return false
  const { top, bottom } = scroller.getBoundingClientRect()
  const at = row.getBoundingClientRect()
  // Near the top, or as near as the end of the list allows.
  return at.height > 0 && at.top >= top && at.top < (atEnd ? bottom : top + BELOW_TOP_PX)
}
