import { X } from 'lucide-react'
import { type FocusEvent, useEffect, useRef, useState } from 'react'
import { strings } from '../strings.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { useAnnounce } from './announcer.tsx'
import { servedPage } from './build.ts'
import styles from './update-notice.module.css'
import { useOtherBuild } from './use-other-build.ts'

const text = strings.shell.update

/** Says that the server has another build of the app than this page: in no hurry, and until it is put away or heeded. */
export function UpdateNotice() {
  const announce = useAnnounce()
  const build = useOtherBuild()
  const [putAway, setPutAway] = useState<string | null>(null)
  const [unreached, setUnreached] = useState(false)
  /** Where the person was before they came here: in a draft, most likely. */
  const before = useRef<HTMLElement | null>(null)
  const shown = build !== null && build !== putAway

  useEffect(() => {
    if (shown) announce(text.line, 'polite')
  }, [shown, announce])

  if (!shown) return null

  const onFocus = ({ relatedTarget: from, currentTarget }: FocusEvent) => {
    if (from instanceof HTMLElement && from.parentElement !== currentTarget.parentElement) before.current = from
  }
  // What is on the screen is not given for a browser's own page that says that there is no network.
  const reload = async () => {
    if ((await servedPage()) === null) setUnreached(true)
    else location.reload()
  }
  return (
    <aside className={styles.notice} aria-label={text.label}>
      <p role={unreached ? 'alert' : undefined}>{unreached ? text.unreached : text.line}</p>
      <Button small onFocus={onFocus} onClick={() => void reload()}>
        {strings.shell.reload}
      </Button>
      <IconButton
        label={text.later}
        icon={X}
        size={16}
        onFocus={onFocus}
        onClick={() => {
          setPutAway(build)
          setUnreached(false)
          before.current?.focus()
        }}
      />
    </aside>
  )
}
