import { useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { useWardline } from '../wardline/context.tsx'

/**
 * How many alerts nobody has acknowledged, as the server says it: null until it has. What is shown of alerts is read again
 * whenever anything about them has changed. @param onRaised called when there are more than before
 */
export function useOpenAlerts(onRaised: () => void): number | null {
  const wardline = useWardline()
  const queries = useQueryClient()
  const [open, setOpen] = useState<number | null>(null)
  const before = useRef<number | null>(null)
  const raised = useRef(onRaised)
  useEffect(() => {
    raised.current = onRaised
  })

  useEffect(
    () =>
      wardline.on('alerts', (frame) => {
        const isMore = before.current !== null && frame.open > before.current
        before.current = frame.open
        setOpen(frame.open)
        for (const key of ['alerts', 'alert']) void queries.invalidateQueries({ queryKey: [key] })
        if (isMore) raised.current()
      }),
    [wardline, queries],
  )
  return open
}
