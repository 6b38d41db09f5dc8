import { type LockedWhy, WardlineError } from '@wardline/client'
import { type SignedInUser, type StepUpRequest, totpCode } from '@wardline/protocol'
import { KeyRound, LockKeyhole } from 'lucide-react'
import { type SubmitEvent, useEffect, useRef, useState } from 'react'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { TextField } from '../ui/field.tsx'
import { useWardline } from '../wardline/context.tsx'
import { DemoStripe } from './demo-stripe.tsx'
import { askForPasskey, isCalledOff, passkeysWork } from './passkey.ts'
import styles from './sign-in-screen.module.css'
import { Wordmark } from './wordmark.tsx'

const text = strings.lock
const factorText = strings.session.secondFactor

type Way = 'password' | 'passkey' | 'totp' | 'recovery-code'

interface LockScreenProps {
  readonly user: SignedInUser
  readonly why: LockedWhy | null
  readonly onSignOut: () => void
}

/**
 * In place of the app while the session is locked: nothing of a patient is on the page or in its memory. The password, or a
 * passkey, opens it again; after a change of risk the server may want the second factor.
 */
export function LockScreen({ user, why, onSignOut }: LockScreenProps) {
  const { session } = useWardline()
  const [ways, setWays] = useState<readonly Way[]>(() => (passkeysWork() ? ['password', 'passkey'] : ['password']))
  const [way, setWay] = useState<Way>('password')
  const [typed, setTyped] = useState('')
  const [failure, setFailure] = useState<string | null>(null)
  const [busy, setBusy] = useState(false)
  const field = useRef<HTMLInputElement>(null)
  const button = useRef<HTMLButtonElement>(null)

  useEffect(() => (way === 'passkey' ? button : field).current?.focus(), [way])

  const given = async (): Promise<StepUpRequest> => {
    if (way === 'passkey') return { passkey: await askForPasskey(await session.askToUnlock()) }
    if (way === 'totp') return { totp: typed.replaceAll(/\s/g, '') }
    return way === 'password' ? { password: typed } : { recoveryCode: typed.trim() }
  }

  const choose = (next: Way) => {
    setWay(next)
    setTyped('')
    setFailure(null)
  }

  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (busy) return
    const missing = missingIn(way, typed)
    setFailure(missing)
    if (missing !== null) {
      field.current?.focus()
      return
    }
    setBusy(true)
    try {
      await session.unlock(await given())
    } catch (error) {
      setBusy(false)
      setTyped('')
      if (error instanceof WardlineError && error.why === 'code-wanted') {
        const stronger: Way[] = passkeysWork() ? ['passkey', 'totp', 'recovery-code'] : ['totp', 'recovery-code']
        setWays(stronger)
        setWay(stronger[0] ?? 'totp')
        setFailure(text.moreWanted)
        return
      }
      setFailure(unlockFailure(error))
      field.current?.focus()
    }
  }

  return (
    <div className={styles.screen}>
      <DemoStripe />
      <main className={styles.main}>
        <Wordmark />
        <p className={styles.lead}>{text.who(user.displayName)}</p>
        <form className={styles.form} onSubmit={(event) => void submit(event)} noValidate>
          <h1 className={styles.title}>{text.title}</h1>
          <p className={styles.more}>
            {text.why[why ?? 'unknown']} {text.kept}
          </p>
          {failure !== null && (
            <p className={styles.failure} role="alert">
              {failure}
            </p>
          )}
          {/* For password managers, which fill in a password for a name. */}
          <input type="text" name="username" autoComplete="username" value={user.username} readOnly hidden />
          {way !== 'passkey' && (
            <TextField
              ref={field}
              {...FIELDS[way]}
              value={typed}
              autoCapitalize="none"
              autoCorrect="off"
              spellCheck={false}
              onChange={(event) => setTyped(event.target.value)}
            />
          )}
          <Button
            ref={button}
            type="submit"
            kind="primary"
            icon={way === 'passkey' ? KeyRound : LockKeyhole}
            className={styles.submit ?? ''}
            aria-disabled={busy}
          >
            {busy ? text.unlocking : way === 'passkey' ? text.passkey : text.unlock}
          </Button>
          {ways
            .filter((each) => each !== way)
            .map((each) => (
              <Button key={each} small kind="quiet" onClick={() => choose(each)}>
                {OTHERS[each]}
              </Button>
            ))}
          <Button small kind="quiet" onClick={onSignOut}>
            {text.signOut}
          </Button>
        </form>
      </main>
    </div>
  )
}

const OTHERS: Readonly<Record<Way, string>> = {
  password: text.usePassword,
  passkey: text.usePasskey,
  totp: text.useCode,
  'recovery-code': text.useRecovery,
}

const FIELDS = {
  password: { label: text.password, name: 'password', type: 'password', autoComplete: 'current-password' },
  totp: {
    label: factorText.code,
    hint: factorText.codeHint,
    name: 'one-time-code',
    inputMode: 'numeric',
    autoComplete: 'one-time-code',
    maxLength: 12,
  },
  'recovery-code': { label: factorText.recoveryCode, name: 'recovery-code', autoComplete: 'off', maxLength: 40 },
} as const

/** What can be said before the server is asked. */
function missingIn(way: Way, typed: string): string | null {
  if (way === 'totp') return totpCode.safeParse(typed.replaceAll(/\s/g, '')).success ? null : factorText.missing
  if (way === 'recovery-code') return typed.trim().length < 16 ? factorText.missingRecovery : null
  return way === 'password' && typed === '' ? text.missing : null
}

function unlockFailure(error: unknown): string {
  if (isCalledOff(error)) return factorText.calledOff
  if (!(error instanceof WardlineError)) return text.noPasskey
  if (error.why === 'password-wrong') return text.wrong
  if (error.why === 'code-wrong') return factorText.wrong
  if (error.why === 'code-used') return factorText.used
  if (error.why === 'passkey-wrong' || error.code === 'not-found') return text.noPasskey
  if (error.code === 'rate-limited') return text.slowDown(Math.max(1, Math.ceil((error.retryAfterMs ?? 60_000) / 1000)))
  return error.code === 'unavailable' ? text.unreachable : text.other
}
