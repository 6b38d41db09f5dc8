import type { SignInResult } from '@wardline/client'
import { totpCode } from '@wardline/protocol'
import { KeyRound } from 'lucide-react'
import { type SubmitEvent, useEffect, useRef, useState } from 'react'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { TextField } from '../ui/field.tsx'
import { useWardline } from '../wardline/context.tsx'
import { askForPasskey, isCalledOff, passkeysWork } from './passkey.ts'
import { isOver, secondFactorFailure } from './sign-in-failure.ts'
import styles from './sign-in-screen.module.css'

const text = strings.session.secondFactor

type Way = 'passkey' | 'totp' | 'recovery-code'

interface SecondFactorFormProps {
  readonly asked: Extract<SignInResult, { status: 'second-factor' }>
  readonly onSignedIn: () => void
  /** Back to the password: of one's own will, or because the challenge is over. */
  readonly onOver: (failure: string | null) => void
}

/** The second half of a sign-in: a passkey, a code of the authenticator app, or a recovery code; the strongest first. */
export function SecondFactorForm({ asked, onSignedIn, onOver }: SecondFactorFormProps) {
  const wardline = useWardline()
  const { challenge, passkey } = asked
  const ways = asked.methods.filter((way) => way !== 'passkey' || (passkey !== undefined && passkeysWork()))
  const [way, setWay] = useState<Way>(ways[0] ?? 'recovery-code')
  const [code, setCode] = useState('')
  const [failure, setFailure] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const button = useRef<HTMLButtonElement>(null)

  useEffect(() => (way === 'passkey' ? button : field).current?.focus(), [way])

  const answer = async () => {
    if (way === 'passkey' && passkey !== undefined) return { challenge, passkey: await askForPasskey(passkey) }
    return way === 'totp' ? { challenge, totp: code.replaceAll(/\s/g, '') } : { challenge, recoveryCode: code.trim() }
  }

  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (busy) return
    const missing = missingIn(way, code)
    setFailure(missing)
    if (missing !== null) {
      field.current?.focus()
      return
    }
    setBusy(true)
    try {
      await wardline.secondFactor(await answer())
      onSignedIn()
    } catch (error) {
      if (isOver(error)) return onOver(text.over)
      setBusy(false)
      setCode('')
      setFailure(isCalledOff(error) ? text.calledOff : secondFactorFailure(error))
      field.current?.focus()
    }
  }

  return (
    <form className={styles.form} onSubmit={(event) => void submit(event)} noValidate>
      <h1 className={styles.title}>{text.title}</h1>
      {way === 'passkey' ? (
        <p>{text.passkeyHint}</p>
      ) : (
        <TextField
          ref={field}
          label={way === 'totp' ? text.code : text.recoveryCode}
          hint={way === 'totp' ? text.codeHint : text.recoveryHint}
          name={way === 'totp' ? 'one-time-code' : 'recovery-code'}
          inputMode={way === 'totp' ? 'numeric' : 'text'}
          autoComplete={way === 'totp' ? 'one-time-code' : 'off'}
          autoCapitalize="none"
          autoCorrect="off"
          spellCheck={false}
          maxLength={40}
          value={code}
          onChange={(event) => setCode(event.target.value)}
        />
      )}
      {failure !== null && (
        <p className={styles.failure} role="alert">
          {failure}
        </p>
      )}
      <Button
        ref={button}
        type="submit"
        kind="primary"
        className={styles.submit ?? ''}
        aria-disabled={busy}
        {...(way === 'passkey' ? { icon: KeyRound } : {})}
      >
        {busy ? strings.session.signingIn : way === 'passkey' ? text.passkey : strings.session.signIn}
      </Button>
      {ways
        .filter((each) => each !== way)
        .map((each) => (
          <Button
            key={each}
            kind="quiet"
            onClick={() => {
              setWay(each)
              setCode('')
              setFailure(null)
            }}
          >
            {each === 'passkey' ? text.useOther : each === 'totp' ? text.useApp : text.useRecovery}
          </Button>
        ))}
      <Button kind="quiet" onClick={() => onOver(null)}>
        {text.back}
      </Button>
    </form>
  )
}

/** What can be said before the server is asked. */
function missingIn(way: Way, code: string): string | null {
  if (way === 'totp') return totpCode.safeParse(code.replaceAll(/\s/g, '')).success ? null : text.missing
  return way === 'recovery-code' && code.trim().length < 16 ? text.missingRecovery : null
}
