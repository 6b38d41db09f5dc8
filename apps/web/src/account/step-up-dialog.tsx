import { useMutation, useQuery } from '@tanstack/react-query'
import { type Factors, type PasskeyRequest, type StepUpRequest, totpCode } from '@wardline/protocol'
import { KeyRound } from 'lucide-react'
import { useEffect, useId, useRef, useState } from 'react'
import { askForPasskey, isCalledOff, passkeysWork } from '../session/passkey.ts'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Dialog } from '../ui/dialog.tsx'
import { TextField } from '../ui/field.tsx'
import { Loading } from '../ui/screen-state.tsx'
import { useMe, useWardline } from '../wardline/context.tsx'
import styles from './account.module.css'
import { changeFailure } from './failure.ts'

const text = strings.account.stepUp

/**
 * Asks who it is when the server wants to know it anew (RFC 9470), above whatever is being done: that stays as it is, and the
 * call behind it is made again.
 */
export function StepUpDialog() {
  const { session } = useWardline()
  const [settle, setSettle] = useState<((done: boolean) => void) | null>(null)

  useEffect(
    () =>
      session.onStepUp(
        () =>
          new Promise<boolean>((resolve) => {
            setSettle(() => (done: boolean) => {
              setSettle(null)
              resolve(done)
            })
          }),
      ),
    [session],
  )

  return settle === null ? null : <Asked onSettled={settle} />
}

type Way = 'password' | 'passkey' | 'totp' | 'recovery-code'

/** What this person may prove themselves by, the strongest first. Recovery codes are for who has lost the rest. */
function waysOf(factors: Factors | undefined): readonly Way[] {
  const kinds = new Set(factors?.items.map(({ kind }) => kind))
  if (kinds.size === 0) return ['password']
  return [
    ...(kinds.has('passkey') && passkeysWork() ? (['passkey'] as const) : []),
    ...(kinds.has('totp') ? (['totp'] as const) : []),
    'recovery-code',
  ]
}

function Asked({ onSettled }: { readonly onSettled: (done: boolean) => void }) {
  const { api } = useWardline()
  const me = useMe().id
  const held = useQuery({ queryKey: ['factors', me], queryFn: () => api.factors(), staleTime: 0 })
  if (held.isPending) {
    return (
      <Dialog title={text.title} onClose={() => onSettled(false)}>
        <Loading lines={1} label={strings.words.loading} />
      </Dialog>
    )
  }
  return <StepUpForm ways={waysOf(held.data)} onSettled={onSettled} />
}

interface StepUpFormProps {
  readonly ways: readonly Way[]
  readonly onSettled: (done: boolean) => void
}

function StepUpForm({ ways, onSettled }: StepUpFormProps) {
  const { api, session } = useWardline()
  const form = useId()
  const field = useRef<HTMLInputElement>(null)
  const button = useRef<HTMLButtonElement>(null)
  const [way, setWay] = useState<Way>(ways[0] ?? 'password')
  const [typed, setTyped] = useState('')
  const [wrong, setWrong] = useState<string | null>(null)
  const confirm = useMutation({
    mutationFn: async () => session.stepUp(await given(way, typed, () => api.stepUpOptions())),
    gcTime: 0,
    onSuccess: () => onSettled(true),
    onError: (error) => {
      setTyped('')
      setWrong(isCalledOff(error) ? text.calledOff : changeFailure(error))
      field.current?.focus()
    },
  })

  useEffect(() => (way === 'passkey' ? button : field).current?.focus(), [way])

  return (
    <Dialog
      title={text.title}
      onClose={() => onSettled(false)}
      footer={
        <>
          <Button onClick={() => onSettled(false)}>{strings.words.cancel}</Button>
          <Button
            ref={button}
            type="submit"
            form={form}
            kind="primary"
            aria-disabled={confirm.isPending}
            {...(way === 'passkey' ? { icon: KeyRound } : {})}
          >
            {way === 'passkey' ? text.passkey : text.confirm}
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
          if (confirm.isPending) return
          const missing = missingIn(way, typed)
          setWrong(missing)
          if (missing === null) confirm.mutate()
        }}
      >
        <p>{text.more}</p>
        {way === 'passkey' ? (
          <>
            <p className={styles.hint}>{text.passkeyHint}</p>
            {wrong !== null && (
              <p role="alert" className={styles.failure}>
                {wrong}
              </p>
            )}
          </>
        ) : (
          <TextField
            ref={field}
            {...FIELDS[way]}
            value={typed}
            error={wrong}
            onChange={(event) => setTyped(event.target.value)}
          />
        )}
        {ways.length > 1 && (
          <div>
            {ways
              .filter((each) => each !== way)
              .map((each) => (
                <Button
                  key={each}
                  small
                  kind="quiet"
                  onClick={() => {
                    setWay(each)
                    setTyped('')
                    setWrong(null)
                  }}
                >
                  {OTHER_WAYS[each]}
                </Button>
              ))}
          </div>
        )}
      </form>
    </Dialog>
  )
}

const OTHER_WAYS = {
  password: text.password,
  passkey: text.usePasskey,
  totp: text.useCode,
  'recovery-code': text.useRecovery,
} as const

const FIELDS = {
  password: { label: text.password, name: 'password', type: 'password', autoComplete: 'current-password' },
  totp: {
    label: text.code,
    hint: text.codeHint,
    name: 'one-time-code',
    inputMode: 'numeric',
    autoComplete: 'one-time-code',
    maxLength: 12,
  },
  'recovery-code': { label: text.recoveryCode, name: 'recovery-code', autoComplete: 'off', maxLength: 40 },
} as const

async function given(way: Way, typed: string, ask: () => Promise<PasskeyRequest>): Promise<StepUpRequest> {
  if (way === 'passkey') return { passkey: await askForPasskey(await ask()) }
  if (way === 'totp') return { totp: typed.replaceAll(/\s/g, '') }
  return way === 'password' ? { password: typed } : { recoveryCode: typed.trim() }
}

/** What can be said before the server is asked. */
function missingIn(way: Way, typed: string): string | null {
  if (way === 'totp')
    return totpCode.safeParse(typed.replaceAll(/\s/g, '')).success ? null : strings.account.factor.digits
  if (way === 'recovery-code') return typed.trim().length < 16 ? text.missingRecovery : null
  return way === 'password' && typed === '' ? text.missing : null
}
