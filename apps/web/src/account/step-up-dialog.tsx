import { useMutation, useQuery } from '@tanstack/react-query'
import { totpCode } from '@wardline/protocol'
import { useEffect, useId, useRef, useState } from 'react'
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

function Asked({ onSettled }: { readonly onSettled: (done: boolean) => void }) {
  const { api, session } = useWardline()
  const me = useMe().id
  const form = useId()
  const field = useRef<HTMLInputElement>(null)
  const [typed, setTyped] = useState('')
  const [wrong, setWrong] = useState<string | null>(null)
  const held = useQuery({ queryKey: ['factors', me], queryFn: () => api.factors(), staleTime: 0 })
  const byCode = (held.data?.items.length ?? 0) > 0
  const code = typed.replaceAll(/\s/g, '')
  const confirm = useMutation({
    mutationFn: () => session.stepUp(byCode ? { totp: code } : { password: typed }),
    gcTime: 0,
    onSuccess: () => onSettled(true),
    onError: (error) => {
      setTyped('')
      setWrong(changeFailure(error))
      field.current?.focus()
    },
  })

  useEffect(() => {
    if (!held.isPending) field.current?.focus()
  }, [held.isPending])

  return (
    <Dialog
      title={text.title}
      onClose={() => onSettled(false)}
      footer={
        <>
          <Button onClick={() => onSettled(false)}>{strings.words.cancel}</Button>
          <Button type="submit" form={form} kind="primary" aria-disabled={confirm.isPending || held.isPending}>
            {text.confirm}
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
          if (confirm.isPending || held.isPending) return
          const usable = byCode ? totpCode.safeParse(code).success : typed !== ''
          setWrong(usable ? null : byCode ? strings.account.factor.digits : text.missing)
          if (usable) confirm.mutate()
        }}
      >
        <p>{text.more}</p>
        {held.isPending ? (
          <Loading lines={1} label={strings.words.loading} />
        ) : byCode ? (
          <TextField
            ref={field}
            label={text.code}
            hint={text.codeHint}
            name="one-time-code"
            inputMode="numeric"
            autoComplete="one-time-code"
            maxLength={12}
            value={typed}
            error={wrong}
            onChange={(event) => setTyped(event.target.value)}
          />
        ) : (
          <TextField
            ref={field}
            label={text.password}
            name="password"
            type="password"
            autoComplete="current-password"
            value={typed}
            error={wrong}
            onChange={(event) => setTyped(event.target.value)}
          />
        )}
      </form>
    </Dialog>
  )
}
