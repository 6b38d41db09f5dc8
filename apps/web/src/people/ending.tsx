import type { UseMutationResult } from '@tanstack/react-query'
import { useState } from 'react'
import { ConfirmDialog } from './confirm-dialog.tsx'
import styles from './people-screen.module.css'

/** Something of somebody that is to be ended. */
interface Ending<What, Answer> {
  readonly what: What
  /** The question, and what is said once it has ended. */
  readonly title: string
  readonly ended: (answer: Answer) => string
}

interface Words {
  /** What follows from it. */
  readonly more: string
  /** The verb on the button. */
  readonly sure: string
}

/** Ends what it is asked to, after a dialog. `notice` is that dialog, and then what has ended: it stands above the list. */
export function useEnding<What, Answer>(end: UseMutationResult<Answer, Error, What>, { more, sure }: Words) {
  const [asked, setAsked] = useState<Ending<What, Answer> | null>(null)
  const [done, setDone] = useState<string | null>(null)
  const ask = (ending: Ending<What, Answer>) => {
    end.reset()
    setDone(null)
    setAsked(ending)
  }
  const finish = (answer: Answer) => {
    setDone(asked?.ended(answer) ?? null)
    setAsked(null)
  }
  const notice = (
    <>
      {done !== null && (
        <p role="status" className={styles.done}>
          {done}
        </p>
      )}
      {asked !== null && (
        <ConfirmDialog
          title={asked.title}
          more={more}
          sure={sure}
          busy={end.isPending}
          error={end.error}
          onClose={() => setAsked(null)}
          onSure={() => end.mutate(asked.what, { onSuccess: finish })}
        />
      )}
    </>
  )
  return { ask, notice }
}
