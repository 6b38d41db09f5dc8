import type { SessionWarning } from '@wardline/client'
import { useEffect, useRef, useState } from 'react'
import { clock } from '../format/time.ts'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Hidden } from '../ui/hidden.tsx'
import { useSessionState, useWardline } from '../wardline/context.tsx'
import styles from './idle-warning.module.css'

const text = strings.lock.warning

/** What somebody who sits at the screen does. The mouse alone is not in it: a desk that is bumped moves it. */
const SIGNS = ['pointerdown', 'keydown', 'wheel', 'touchmove', 'input'] as const

/** Tells the server that somebody is here, and shows when the screen is about to be locked, or the session to end. */
export function IdleWarning() {
  const wardline = useWardline()
  const state = useSessionState()
  const [readEnd, setReadEnd] = useState(false)

  useEffect(() => {
    const seen = () => wardline.active()
    for (const sign of SIGNS) window.addEventListener(sign, seen, { capture: true, passive: true })
    return () => {
      for (const sign of SIGNS) window.removeEventListener(sign, seen, { capture: true })
    }
  }, [wardline])

  const warning = state.is === 'signed-in' ? state.warning : null
  if (warning === null) return null
  if (warning.reason === 'idle') return <Idling key={warning.at} warning={warning} />
  return readEnd ? null : <Ending warning={warning} onRead={() => setReadEnd(true)} />
}

/** Any key or touch does; the button is for who looks for one, and Enter or Space press it. */
function Idling({ warning }: { readonly warning: SessionWarning }) {
  const wardline = useWardline()
  const [leftS, setLeftS] = useState(() => secondsTo(warning.at))
  const [spoken] = useState(leftS)
  const stay = useRef<HTMLButtonElement>(null)

  useEffect(() => stay.current?.focus(), [])

  useEffect(() => {
    const timer = setInterval(() => setLeftS(secondsTo(warning.at)), 250)
    return () => clearInterval(timer)
  }, [warning.at])

  return (
    <Dialog
      title={text.title}
      onClose={() => wardline.active()}
      footer={
        <Button ref={stay} kind="primary" onClick={() => wardline.active()}>
          {text.stay}
        </Button>
      }
    >
      <p>{text.more}</p>
      <p className={styles.left} aria-hidden>
        {text.seconds(leftS)}
      </p>
      <div role="alert">
        <Hidden>{text.spoken(spoken)}</Hidden>
      </div>
    </Dialog>
  )
}

function Ending({ warning, onRead }: { readonly warning: SessionWarning; readonly onRead: () => void }) {
  return (
    <Dialog
      title={text.endTitle}
      onClose={onRead}
      footer={
        <Button kind="primary" onClick={onRead}>
          {text.endOk}
        </Button>
      }
    >
      <p role="alert">{text.endMore(clock(warning.at))}</p>
    </Dialog>
  )
}

function secondsTo(at: number): number {
  return Math.max(0, Math.ceil((at - Date.now()) / 1000))
}
