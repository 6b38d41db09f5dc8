import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { failureText } from '../ui/screen-state.tsx'
import styles from './people-screen.module.css'

interface ConfirmDialogProps {
  readonly title: string
  /** What follows from it. */
  readonly more: string
  /** The verb on the button. */
  readonly sure: string
  readonly busy: boolean
  readonly error: Error | null
  readonly onSure: () => void
  readonly onClose: () => void
}

/** Says what follows before it is done to somebody. */
export function ConfirmDialog({ title, more, sure, busy, error, onSure, onClose }: ConfirmDialogProps) {
  return (
    <Dialog
      title={title}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{strings.words.cancel}</Button>
          <Button kind="danger" aria-disabled={busy} onClick={() => busy || onSure()}>
            {sure}
          </Button>
        </>
      }
    >
      <p>{more}</p>
      {error !== null && (
        <p role="alert" className={styles.failure}>
          {failureText(error).title}
        </p>
      )}
    </Dialog>
  )
}
