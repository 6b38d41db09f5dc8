import { totpCode } from '@wardline/protocol'
import { type SubmitEvent, useEffect, useRef, useState } from 'react'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { TextField } from '../ui/field.tsx'
import { useWardline } from '../wardline/context.tsx'
import { isOver, secondFactorFailure } from './sign-in-failure.ts'
import styles from './sign-in-screen.module.css'

const text = strings.session.secondFactor

interface SecondFactorFormProps {
  readonly challenge: string
  readonly onSignedIn: () => void
  /** Back to the password: of one's own will, or because the challenge is over. */
  readonly onOver: (failure: string | null) => void
}

/** The second half of a sign-in: a code of the authenticator app, or a recovery code. */
export function SecondFactorForm({ challenge, onSignedIn, onOver }: SecondFactorFormProps) {
  const wardline = useWardline()
  const [recovering, setRecovering] = useState(false)
  const [code, setCode] = useState('')
  const [failure, setFailure] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const field = useRef<HTMLInputElement>(null)

  useEffect(() => field.current?.focus(), [recovering])

  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (busy) return
    const typed = recovering ? code.trim() : code.replaceAll(/\s/g, '')
    if (recovering ? typed.length < 16 : !totpCode.safeParse(typed).success) {
      setFailure(recovering ? text.missingRecovery : text.missing)
      field.current?.focus()
      return
    }
    setFailure(null)
    setBusy(true)
    wardline
      .secondFactor(recovering ? { challenge, recoveryCode: typed } : { challenge, totp: typed })
      .then(onSignedIn, (error: unknown) => {
        if (isOver(error)) {
          onOver(text.over)
          return
        }
        setBusy(false)
        setCode('')
        setFailure(secondFactorFailure(error))
        field.current?.focus()
      })
  }

  return (
    <form className={styles.form} onSubmit={submit} noValidate>
      <h1 className={styles.title}>{text.title}</h1>
      <TextField
        ref={field}
        label={recovering ? text.recoveryCode : text.code}
        hint={recovering ? text.recoveryHint : text.codeHint}
        name={recovering ? 'recovery-code' : 'one-time-code'}
        inputMode={recovering ? 'text' : 'numeric'}
        autoComplete={recovering ? 'off' : 'one-time-code'}
        autoCapitalize="none"
        autoCorrect="off"
        spellCheck={false}
        maxLength={40}
        value={code}
        onChange={(event) => setCode(event.target.value)}
      />
      {failure !== null && (
        <p className={styles.failure} role="alert">
          {failure}
        </p>
      )}
      <Button type="submit" kind="primary" className={styles.submit ?? ''} aria-disabled={busy}>
        {busy ? strings.session.signingIn : strings.session.signIn}
      </Button>
      <Button
        kind="quiet"
        onClick={() => {
          setRecovering(!recovering)
          setCode('')
          setFailure(null)
        }}
      >
        {recovering ? text.useApp : text.useRecovery}
      </Button>
      <Button kind="quiet" onClick={() => onOver(null)}>
        {text.back}
      </Button>
    </form>
  )
}
