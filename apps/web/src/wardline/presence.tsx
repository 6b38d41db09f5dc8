import type { ServerFrameOf } from '@wardline/protocol'
import { createContext, type ReactNode, useContext, useEffect, useState } from 'react'
import { useConnectionState, useWardline } from './context.tsx'

/** Whether somebody has said that they can be reached, until when, and who covers. */
export type Presence = Pick<ServerFrameOf<'presence.changed'>, 'status' | 'cover' | 'until'>

type Known = ReadonlyMap<string, Presence>

const NOBODY: Known = new Map()
const PresenceContext = createContext<Known>(NOBODY)

/**
 * Keeps what colleagues have said of themselves. Without a line nothing is known: what was said before may not hold any more, and the
 * server tells it anew to who comes back.
 */
export function PresenceProvider({ children }: { readonly children: ReactNode }) {
  const wardline = useWardline()
  const { is } = useConnectionState()
  const [known, setKnown] = useState(NOBODY)
  useEffect(
    () => wardline.on('presence', ({ user, ...said }) => setKnown((before) => new Map(before).set(user, said))),
    [wardline],
  )
  useEffect(() => {
    if (is !== 'live') setKnown(NOBODY)
  }, [is])
  return <PresenceContext value={known}>{children}</PresenceContext>
}

/** What is known of everybody, by user id. */
export function usePresence(): Known {
  return useContext(PresenceContext)
}

/** What somebody has said of themselves, if it still holds at `now`, in milliseconds. */
export function saidAt(presence: Presence | undefined, now: number): Presence | null {
  if (presence === undefined) return null
  return presence.until === null || Date.parse(presence.until) > now ? presence : null
}
