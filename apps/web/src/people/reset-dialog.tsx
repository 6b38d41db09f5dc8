import type { AdminUser } from '@wardline/protocol'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { failureText } from '../ui/screen-state.tsx'
import { useResetFactors } from './api.ts'
import styles from './people-screen.module.css'

const text = strings.accounts.people

interface ResetDialogProps {
  readonly person: AdminUser
  readonly onClose: () => void
  readonly onDone: () => void
}

/** Says what follows before it is done: whoever talks an administrator into this needs a password alone. */
export function ResetDialog({ person, onClose, onDone }: ResetDialogProps) {
  const reset = useResetFactors()
  return (
    <Dialog
      title={text.resetTitle(person.displayName)}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{strings.words.cancel}</Button>
          <Button
            kind="danger"
            aria-disabled={reset.isPending}
            onClick={() => reset.isPending || reset.mutate(person, { onSuccess: onDone })}
          >
            {text.resetSure}
          </Button>
        </>
      }
    >
      <p>{text.resetMore}</p>
      {reset.isError && (
        <p role="alert" className={styles.failure}>
          {failureText(reset.error).title}
        </p>
      )}
    </Dialog>
  )
}
