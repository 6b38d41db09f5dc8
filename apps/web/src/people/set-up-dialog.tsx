import { type AdminUser, SET_UP_PATH, type SetUpCode } from '@wardline/protocol'
import { Check, Copy } from 'lucide-react'
import { useEffect, useRef, useState } from 'react'
import { untilTime } from '../format/time.ts'
import { strings } from '../strings.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { Switch, TextField } from '../ui/field.tsx'
import { failureText } from '../ui/screen-state.tsx'
import { useCopied } from '../ui/use-copied.ts'
import { useAbility } from '../wardline/context.tsx'
import { useMakeSetUpCode } from './api.ts'
import styles from './person-dialog.module.css'

const text = strings.accounts.setUp

interface SetUpDialogProps {
  readonly person: AdminUser
  readonly onClose: () => void
}

/** Makes the link by which somebody else sets their password, and shows it this once. */
export function SetUpDialog({ person, onClose }: SetUpDialogProps) {
  const make = useMakeSetUpCode()
  const mayReset = useAbility('factor.reset')
  const [resetFactors, setResetFactors] = useState(false)
  const name = person.displayName
  if (make.data !== undefined) return <SetUpLink name={name} made={make.data} onClose={onClose} />
  return (
    <Dialog
      title={text.title(name)}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{strings.words.cancel}</Button>
          <Button
            kind="primary"
            aria-disabled={make.isPending}
            onClick={() => make.isPending || make.mutate({ id: person.id, resetFactors })}
          >
            {text.make}
          </Button>
        </>
      }
    >
      <div className={styles.form}>
        <p>{text.more}</p>
        {mayReset && (
          <Switch
            label={text.resetFactors}
            hint={text.resetFactorsHint}
            checked={resetFactors}
            onChange={setResetFactors}
          />
        )}
        {make.error !== null && (
          <p role="alert" className={styles.failure}>
            {failureText(make.error).title}
          </p>
        )}
      </div>
    </Dialog>
  )
}

interface SetUpLinkProps {
  readonly name: string
  readonly made: SetUpCode
  readonly onClose: () => void
}

function SetUpLink({ name, made, onClose }: SetUpLinkProps) {
  // The code is behind the #: no server, proxy or log is sent it when the link is opened.
  const link = `${location.origin}${SET_UP_PATH}#${made.code}`
  const { copied, copy } = useCopied(link)
  const [now] = useState(Date.now)
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => field.current?.select(), [])
  return (
    <Dialog
      title={text.title(name)}
      onClose={onClose}
      footer={
        <Button kind="primary" onClick={onClose}>
          {text.handedOn}
        </Button>
      }
    >
      <div className={styles.form}>
        <p role="status">{text.made(name)}</p>
        <TextField
          ref={field}
          label={text.link}
          hint={text.until(untilTime(made.expiresAt, now))}
          value={link}
          readOnly
          spellCheck={false}
          onFocus={(event) => event.target.select()}
          end={<IconButton label={copied ? text.copied : text.copy} icon={copied ? Check : Copy} onClick={copy} />}
        />
        <p>{text.handOn}</p>
      </div>
    </Dialog>
  )
}
