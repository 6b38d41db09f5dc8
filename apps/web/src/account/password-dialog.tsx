import { useMutation } from '@tanstack/react-query'
import { WardlineError } from '@wardline/client'
import { useId, useState } from 'react'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { TextField } from '../ui/field.tsx'
import { useMe, useWardline } from '../wardline/context.tsx'
import styles from './account.module.css'
import { changeFailure } from './failure.ts'

const text = strings.account.password
/** As the server has it (NIST SP 800-63B). */
const SHORTEST = 8

/** One's own password. Password managers find what they look for; pasting is allowed. */
export function PasswordDialog({ onClose }: { readonly onClose: () => void }) {
  const { api } = useWardline()
  const me = useMe()
  const form = useId()
  const [password, setPassword] = useState('')
  const [newPassword, setNewPassword] = useState('')
  const [asked, setAsked] = useState(false)
  const change = useMutation({ mutationFn: () => api.changePassword({ password, newPassword }) })

  const missing = asked && password === '' ? text.missing : null
  const short = asked && newPassword.length < SHORTEST ? text.short : null
  const failure = change.error === null ? null : changeFailure(change.error)
  const ofCurrent = change.error instanceof WardlineError && change.error.why === 'password-wrong'

  if (change.isSuccess) {
    return (
      <Dialog title={text.title} onClose={onClose} footer={<Button onClick={onClose}>{strings.words.close}</Button>}>
        <p role="status">{text.done}</p>
      </Dialog>
    )
  }
  return (
    <Dialog
      title={text.title}
      onClose={onClose}
      footer={
        <>
          <Button onClick={onClose}>{strings.words.cancel}</Button>
          <Button type="submit" form={form} kind="primary" aria-disabled={change.isPending}>
            {text.change}
          </Button>
        </>
      }
    >
      <form
        id={form}
        className={styles.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault()
          setAsked(true)
          if (password !== '' && newPassword.length >= SHORTEST && !change.isPending) change.mutate()
        }}
      >
        {failure !== null && (
          <p role="alert" className={styles.failure}>
            {failure}
          </p>
        )}
        <input type="text" name="username" autoComplete="username" value={me.username} readOnly hidden />
        <TextField
          label={text.current}
          name="current-password"
          type="password"
          autoComplete="current-password"
          value={password}
          error={missing ?? (ofCurrent ? failure : null)}
          onChange={(event) => setPassword(event.target.value)}
        />
        <TextField
          label={text.next}
          hint={text.nextHint}
          name="new-password"
          type="password"
          autoComplete="new-password"
          value={newPassword}
          error={short}
          onChange={(event) => setNewPassword(event.target.value)}
        />
        <p className={styles.hint}>{text.hint}</p>
      </form>
    </Dialog>
  )
}
