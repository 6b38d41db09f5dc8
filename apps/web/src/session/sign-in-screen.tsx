import type { EndReason, SignInResult } from '@wardline/client'
import { Eye, EyeOff, KeyRound } from 'lucide-react'
import { type KeyboardEvent, type SubmitEvent, useCallback, useEffect, useRef, useState } from 'react'
import { strings } from '../strings.ts'
import { Button, IconButton } from '../ui/button.tsx'
import { TextField } from '../ui/field.tsx'
import { useWardline } from '../wardline/context.tsx'
import { useDemo } from './api.ts'
import { DemoStripe } from './demo-stripe.tsx'
import { keepTenant, keptTenant } from './kept-tenant.ts'
import { askForPasskey, isCalledOff, passkeysWork } from './passkey.ts'
import { SecondFactorForm } from './second-factor-form.tsx'
import type { SetUpAccount } from './set-up-screen.tsx'
import { type FieldErrors, fieldErrors, passkeyFailure, signInFailure, tidied } from './sign-in-failure.ts'
import styles from './sign-in-screen.module.css'
import { usePasskeyAutofill } from './use-passkey-autofill.ts'
import { Wordmark } from './wordmark.tsx'

const text = strings.session

type Asked = Extract<SignInResult, { status: 'second-factor' }>

interface SignInScreenProps {
  /** Why the session before this ended, or null at the first visit. */
  readonly ended: EndReason | null
  /** The server could not be told of the sign-out. */
  readonly unreached: boolean
  /** Whose password was just set; null where none was. */
  readonly account: SetUpAccount | null
}

/** The way in. Friends with password managers: real names of fields, pasting allowed, one form, one submit. */
export function SignInScreen({ ended, unreached, account }: SignInScreenProps) {
  const wardline = useWardline()
  const demo = useDemo()
  const [tenant, setTenant] = useState(() => account?.tenant ?? keptTenant())
  const [username, setUsername] = useState(account?.username ?? '')
  const [password, setPassword] = useState('')
  const [shown, setShown] = useState(false)
  const [capsLock, setCapsLock] = useState(false)
  const [errors, setErrors] = useState<FieldErrors>({})
  const [failure, setFailure] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const [asked, setAsked] = useState<Asked | null>(null)
  const form = useRef<HTMLFormElement>(null)

  useEffect(() => {
    const empty = [...(form.current?.querySelectorAll('input') ?? [])].find((input) => input.value === '')
    empty?.focus()
  }, [asked])

  const failedPasskey = useCallback((error: unknown) => setFailure(passkeyFailure(error)), [])
  usePasskeyAutofill(!busy && asked === null, failedPasskey)

  const usePasskey = async () => {
    if (busy) return
    setFailure(null)
    setErrors({})
    setBusy(true)
    try {
      const request = await wardline.session.passkeyOptions()
      await wardline.signInWithPasskey(await askForPasskey(request))
    } catch (error) {
      if (!isCalledOff(error)) failedPasskey(error)
    } finally {
      setBusy(false)
    }
  }

  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (busy) return
    const typed = { tenant, username, password }
    const wrong = fieldErrors(typed)
    setErrors(wrong)
    setFailure(null)
    const [firstWrong] = Object.keys(wrong)
    if (firstWrong !== undefined) {
      form.current?.querySelector<HTMLInputElement>(`[name="${firstWrong}"]`)?.focus()
      return
    }
    setBusy(true)
    wardline
      .signIn(tidied(typed))
      .then(
        (result) => {
          if (result.status === 'signed-in') keepTenant(tidied(typed).tenant)
          else {
            setPassword('')
            setAsked(result)
          }
        },
        (error: unknown) => {
          setFailure(signInFailure(error))
          form.current?.querySelector<HTMLInputElement>('[name="password"]')?.select()
        },
      )
      .finally(() => setBusy(false))
  }

  const watchCapsLock = (event: KeyboardEvent) => setCapsLock(event.getModifierState('CapsLock'))
  const why = ended === null ? null : text.ended[ended]
  const notice = account !== null ? text.setUp.done : unreached ? text.signOutUnreached : why

  return (
    <div className={styles.screen}>
      <DemoStripe />
      <main className={styles.main}>
        <Wordmark />
        <p className={styles.lead}>{text.lead}</p>
        {notice !== null && (
          <p className={styles.notice} role="status">
            {notice}
          </p>
        )}
        {asked !== null && (
          <SecondFactorForm
            asked={asked}
            onSignedIn={() => keepTenant(tidied({ tenant, username, password }).tenant)}
            onOver={(why) => {
              setAsked(null)
              setFailure(why)
            }}
          />
        )}
        {asked === null && (
          <form ref={form} className={styles.form} onSubmit={submit} noValidate>
            <h1 className={styles.title}>{text.title}</h1>
            {failure !== null && (
              <p className={styles.failure} role="alert">
                {failure}
              </p>
            )}
            <TextField
              label={text.organisation}
              hint={text.organisationHint}
              name="tenant"
              value={tenant}
              error={errors.tenant ?? null}
              autoComplete="organization"
              autoCapitalize="none"
              autoCorrect="off"
              spellCheck={false}
              onChange={(event) => setTenant(event.target.value)}
            />
            <TextField
              label={text.username}
              name="username"
              value={username}
              error={errors.username ?? null}
              autoComplete="username webauthn"
              autoCapitalize="none"
              autoCorrect="off"
              spellCheck={false}
              onChange={(event) => setUsername(event.target.value)}
            />
            <TextField
              label={text.password}
              name="password"
              type={shown ? 'text' : 'password'}
              value={password}
              error={errors.password ?? null}
              autoComplete="current-password"
              autoCapitalize="none"
              autoCorrect="off"
              spellCheck={false}
              {...(capsLock ? { hint: text.capsLock } : {})}
              onChange={(event) => setPassword(event.target.value)}
              onKeyDown={watchCapsLock}
              onKeyUp={watchCapsLock}
              end={
                <IconButton
                  label={shown ? text.hidePassword : text.showPassword}
                  aria-pressed={shown}
                  icon={shown ? EyeOff : Eye}
                  onClick={() => setShown(!shown)}
                />
              }
            />
            <Button type="submit" kind="primary" className={styles.submit ?? ''} aria-disabled={busy}>
              {busy ? text.signingIn : text.signIn}
            </Button>
            {passkeysWork() && (
              <Button icon={KeyRound} aria-disabled={busy} onClick={() => void usePasskey()}>
                {text.usePasskey}
              </Button>
            )}
            {demo && <p className={styles.hint}>{text.demoAccounts}</p>}
          </form>
        )}
      </main>
    </div>
  )
}
