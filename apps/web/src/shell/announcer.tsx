import { createContext, type ReactNode, useCallback, useContext, useState } from 'react'
import { Hidden } from '../ui/hidden.tsx'

type Announce = (text: string, how: 'polite' | 'assertive') => void

const AnnounceContext = createContext<Announce>(() => undefined)

/** The two live regions of the page: polite for what is routine, assertive for STAT. There from the start, or readers miss them. */
export function Announcer({ children }: { readonly children: ReactNode }) {
  const [polite, setPolite] = useState('')
  const [assertive, setAssertive] = useState('')
  const announce = useCallback<Announce>((text, how) => {
    const set = how === 'assertive' ? setAssertive : setPolite
    // The same words twice are two announcements: a no-break space makes them differ.
    set((before) => (before === text ? `${text}\u00A0` : text))
  }, [])
  return (
    <AnnounceContext value={announce}>
      {children}
      <div aria-live="polite" aria-atomic="true">
        <Hidden>{polite}</Hidden>
      </div>
      <div aria-live="assertive" aria-atomic="true" role="alert">
        <Hidden>{assertive}</Hidden>
      </div>
    </AnnounceContext>
  )
}

/** Says something to whoever listens to the page instead of looking at it. */
export function useAnnounce(): Announce {
  return useContext(AnnounceContext)
}
