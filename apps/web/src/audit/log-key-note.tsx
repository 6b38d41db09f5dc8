import { isVerifierKey } from '@wardline/transparency-log/browser'
import { KeyRound } from 'lucide-react'
import { type SubmitEvent, useState } from 'react'
import { shortDate } from '../format/time.ts'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { TextField } from '../ui/field.tsx'
import { giveLogKey, keyIdOf, useLogKey } from './log-key.ts'
import styles from './log-key-note.module.css'

const text = strings.audit.logKey

/** Against which key this device checks proofs, since when, and from whom it has it; and the way to give it another. */
export function LogKeyNote() {
  const known = useLogKey()
  const [typed, setTyped] = useState('')
  const [wrong, setWrong] = useState(false)
  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    const vkey = typed.trim()
    const isKey = await isVerifierKey(vkey)
    setWrong(!isKey)
    if (!isKey) return
    giveLogKey(vkey)
    setTyped('')
  }

  return (
    <details className={styles.note}>
      <summary>
        <KeyRound aria-hidden size={14} strokeWidth={2.2} />{' '}
        {known === null
          ? text.none
          : (known.given ? text.given : text.first)(keyIdOf(known.vkey), known.since && shortDate(known.since))}
      </summary>
      {known !== null && <code className={styles.vkey}>{known.vkey}</code>}
      <p>{text.explain}</p>
      <form className={styles.form} onSubmit={(event) => void submit(event)}>
        <TextField
          compact
          label={text.label}
          value={typed}
          error={wrong ? text.wrong : null}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => setTyped(event.target.value)}
        />
        <Button type="submit" small disabled={typed.trim() === ''}>
          {text.give}
        </Button>
      </form>
    </details>
  )
}
