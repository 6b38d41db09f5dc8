import { type RecallReason, recallReason } from '@wardline/protocol'
import { type SubmitEvent, useId, useState } from 'react'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Hidden } from '../ui/hidden.tsx'
import { draftProblem, EMPTY_DRAFT } from './draft.ts'
import styles from './message-details.module.css'

const { actions: text, recallReasons } = strings.messages

interface AmendFormProps {
  readonly kind: 'correct' | 'recall'
  readonly body: string
  readonly maxLength: number
  readonly onCorrect: (body: string) => Promise<unknown>
  readonly onRecall: (reason: RecallReason) => Promise<unknown>
  readonly onClose: () => void
}

/** Correcting or recalling a message of mine. What was typed stays until the server has it. */
export function AmendForm({ kind, body, maxLength, onCorrect, onRecall, onClose }: AmendFormProps) {
  const id = useId()
  const [next, setNext] = useState(body)
  const [reason, setReason] = useState<RecallReason | null>(null)
  const [state, setState] = useState<'idle' | 'busy' | 'failed'>('idle')
  const ready =
    kind === 'recall'
      ? reason !== null
      : next !== body && draftProblem({ ...EMPTY_DRAFT, body: next }, maxLength) === null

  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (!ready || state === 'busy') return
    setState('busy')
    const done = kind === 'correct' ? onCorrect(next) : reason === null ? Promise.resolve() : onRecall(reason)
    done.then(onClose, () => setState('failed'))
  }

  return (
    <Dialog
      title={kind === 'correct' ? text.correct : text.recall}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{strings.words.cancel}</Button>
          <Button
            type="submit"
            form={id}
            kind={kind === 'correct' ? 'primary' : 'danger'}
            disabled={!ready || state === 'busy'}
          >
            {kind === 'correct' ? text.correctSave : text.recall}
          </Button>
        </>
      }
    >
      <form id={id} className={styles.form} onSubmit={submit}>
        <p className={styles.hint}>{kind === 'correct' ? text.correctHint : text.recallHint}</p>
        {kind === 'correct' ? (
          <label>
            <Hidden>{text.correct}</Hidden>
            <textarea
              className={styles.area}
              value={next}
              dir="auto"
              onChange={(event) => setNext(event.target.value)}
            />
          </label>
        ) : (
          <fieldset>
            <legend>{text.recallAsk}</legend>
            <div className={styles.choices}>
              {recallReason.options.map((each) => (
                <label key={each}>
                  <input
                    type="radio"
                    name={`${id}-reason`}
                    checked={reason === each}
                    onChange={() => setReason(each)}
                  />
                  {recallReasons[each]}
                </label>
              ))}
            </div>
          </fieldset>
        )}
        {state === 'failed' && (
          <p role="alert" className={styles.failed}>
            {text.failed}
          </p>
        )}
      </form>
    </Dialog>
  )
}
