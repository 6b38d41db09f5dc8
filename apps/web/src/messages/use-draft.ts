import { useCallback, useEffect, useRef, useState } from 'react'
import { useMe, useVault } from '../wardline/context.tsx'
import { type ComposerDraft, EMPTY_DRAFT, isWorthKeeping, readDraft } from './draft.ts'

interface DraftState {
  readonly draft: ComposerDraft
  /** False until the kept draft has been looked for: nothing may be typed over it before. */
  readonly ready: boolean
  /** The device refuses to keep it. */
  readonly refused: boolean
  /** Changes a part of it. Always the same function. */
  readonly change: (part: Partial<ComposerDraft>) => void
  /** Throws it away, on the device as well: it has been sent. */
  readonly clear: () => void
}

/**
 * What is being written in one conversation: it survives a reload, a crash and the end of the session, encrypted on this
 * device, until it is sent or the person signs out. Use one component instance for each channel (`key`).
 */
export function useDraft(channel: string): DraftState {
  const vault = useVault()
  const me = useMe().id
  const [draft, setDraft] = useState<ComposerDraft>(EMPTY_DRAFT)
  const [ready, setReady] = useState(false)
  const [refused, setRefused] = useState(false)
  const latest = useRef<ComposerDraft>(EMPTY_DRAFT)
  const writing = useRef(false)
  /** What is kept is older than what is shown. */
  const behind = useRef(false)

  // At once and not after a pause: nothing runs to its end any more when a page is reloaded or crashes.
  const keep = useCallback(() => {
    behind.current = true
    if (writing.current) return
    writing.current = true
    const write = async () => {
      while (behind.current) {
        behind.current = false
        if (isWorthKeeping(latest.current)) await vault.write('drafts', me, channel, latest.current)
        else await vault.remove('drafts', me, channel)
      }
    }
    write()
      .then(
        () => setRefused(false),
        () => setRefused(true),
      )
      .finally(() => {
        writing.current = false
      })
  }, [vault, me, channel])

  useEffect(() => {
    let wanted = true
    vault.read('drafts', me, channel).then(
      (kept) => {
        if (!wanted) return
        latest.current = readDraft(kept)
        setDraft(latest.current)
        setReady(true)
      },
      () => {
        if (!wanted) return
        setRefused(true)
        setReady(true)
      },
    )
    return () => {
      wanted = false
    }
  }, [vault, me, channel])

  const change = useCallback(
    (part: Partial<ComposerDraft>) => {
      latest.current = { ...latest.current, ...part }
      setDraft(latest.current)
      keep()
    },
    [keep],
  )

  const clear = useCallback(() => {
    latest.current = EMPTY_DRAFT
    setDraft(EMPTY_DRAFT)
    keep()
  }, [keep])

  return { draft, ready, refused, change, clear }
}
