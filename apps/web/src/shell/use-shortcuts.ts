import { useEffect, useRef } from 'react'

/** After `g`, the second key must come within this. */
const SEQUENCE_MS = 1_500

/** What each key does. Two keys one after the other are written `g i`. */
export type Shortcuts = Readonly<Record<string, () => void>>

/** Whether typing there is meant for a field and not for the page. */
function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement)
    return true
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button'].includes(target.type)
}

/**
 * Single keys, wherever no field has the focus and no dialog is open. They can be switched off (WCAG 2.1.4); `?` and Esc
 * then go as well.
 */
export function useShortcuts(shortcuts: Shortcuts, enabled: boolean): void {
  const latest = useRef(shortcuts)
  useEffect(() => {
    latest.current = shortcuts
  })
  useEffect(() => {
    if (!enabled) return
    let before = ''
    let timer: ReturnType<typeof setTimeout> | undefined
    const onKey = (event: KeyboardEvent) => {
      if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.defaultPrevented) return
      if (isTyping(event.target) || document.querySelector('dialog[open]') !== null) return
      const sequence = before === '' ? event.key : `${before} ${event.key}`
      clearTimeout(timer)
      before = ''
      const run = latest.current[sequence] ?? latest.current[event.key]
      if (run !== undefined) {
        event.preventDefault()
        run()
      } else if (Object.keys(latest.current).some((keys) => keys.startsWith(`${event.key} `))) {
        before = event.key
        timer = setTimeout(() => {
          before = ''
        }, SEQUENCE_MS)
      }
    }
    window.addEventListener('keydown', onKey)
    return () => {
      clearTimeout(timer)
      window.removeEventListener('keydown', onKey)
    }
  }, [enabled])
}

/** Ctrl+K, or ⌘K: from anywhere, a field included; not over a dialog. With a modifier, so it is never switched off. */
export function usePaletteKey(run: () => void): void {
  const latest = useRef(run)
  useEffect(() => {
    latest.current = run
  })
  useEffect(() => {
    const onKey = (event: KeyboardEvent) => {
      if (event.key.toLowerCase() !== 'k' || !(event.ctrlKey || event.metaKey) || event.altKey || event.shiftKey) return
      event.preventDefault()
      if (document.querySelector('dialog[open]') === null) latest.current()
    }
    window.addEventListener('keydown', onKey)
    return () => window.removeEventListener('keydown', onKey)
  }, [])
}
