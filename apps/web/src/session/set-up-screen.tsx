import { WardlineError } from '@wardline/client'
import { Eye, EyeOff } from 'lucide-react'
import { type SubmitEvent, useEffect, useRef, useState } from 'react'
import { strings } from '../strings.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { TextField } from '../ui/field.tsx'
import { useWardline } from '../wardline/context.tsx'
import { DemoStripe } from './demo-stripe.tsx'
import { signInFailure } from './sign-in-failure.ts'
import styles from './sign-in-screen.module.css'
import { Wordmark } from './wordmark.tsx'

const text = strings.session.setUp
/** As the server has it (NIST SP 800-63B). */
const SHORTEST = 8

/** What one signs in with, beside the password that was just set. */
export interface SetUpAccount {
  readonly tenant: string
  readonly username: string
}

interface SetUpScreenProps {
  /** What the link holds; empty where it came without. */
  readonly code: string
  readonly onDone: (account: SetUpAccount) => void
  /** To the sign-in, without a password set. */
  readonly onLeave: () => void
}

/** For who has been sent a link: sets the password of their account, once. */
export function SetUpScreen({ code, onDone, onLeave }: SetUpScreenProps) {
  const { api } = useWardline()
  const [password, setPassword] = useState('')
  const [shown, setShown] = useState(false)
  const [failure, setFailure] = useState<string | null>(null)
  const [short, setShort] = useState(false)
  const [over, setOver] = useState(code === '')
  const [busy, setBusy] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  useEffect(() => field.current?.focus(), [])

  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (busy) return
    setFailure(null)
    setShort(password.length < SHORTEST)
    if (password.length < SHORTEST) {
      field.current?.focus()
      return
    }
    setBusy(true)
    api
      .setUp({ code, password })
      .then(onDone, (error: unknown) => {
        if (error instanceof WardlineError && error.code === 'unauthenticated') setOver(true)
        else setFailure(whyWrong(error) ?? signInFailure(error))
        field.current?.select()
      })
      .finally(() => setBusy(false))
  }

  return (
    <div className={styles.screen}>
      <DemoStripe />
      <main className={styles.main}>
        <Wordmark />
        <p className={styles.lead}>{strings.session.lead}</p>
        {over ? (
          <div className={styles.form}>
            <h1 className={styles.title}>{text.title}</h1>
            <p role="alert" className={styles.failure}>
              {code === '' ? text.notWhole : text.over}
            </p>
            <p className={styles.more}>{text.overMore}</p>
            <Button onClick={onLeave}>{text.toSignIn}</Button>
          </div>
        ) : (
          <form className={styles.form} onSubmit={submit} noValidate>
            <h1 className={styles.title}>{text.title}</h1>
            <p className={styles.more}>{text.more}</p>
            {failure !== null && (
              <p className={styles.failure} role="alert">
                {failure}
              </p>
            )}
            <TextField
              ref={field}
              label={text.password}
              hint={text.passwordHint}
              name="new-password"
              type={shown ? 'text' : 'password'}
              value={password}
              maxLength={1024}
              error={short ? text.short : null}
              autoComplete="new-password"
              autoCapitalize="none"
              autoCorrect="off"
              spellCheck={false}
              onChange={(event) => setPassword(event.target.value)}
              end={
                <IconButton
                  label={shown ? strings.session.hidePassword : strings.session.showPassword}
                  aria-pressed={shown}
                  icon={shown ? EyeOff : Eye}
                  onClick={() => setShown(!shown)}
                />
              }
            />
            <Button type="submit" kind="primary" className={styles.submit ?? ''} aria-disabled={busy}>
              {busy ? text.setting : text.set}
            </Button>
          </form>
        )}
      </main>
    </div>
  )
}

/** Why this password will not do; null where it is not that. */
function whyWrong(error: unknown): string | null {
  if (!(error instanceof WardlineError)) return null
  if (error.why === 'password-common' || error.why === 'password-of-account') return text.why[error.why]
  return error.code === 'invalid' ? text.short : null
}
