import { useMutation } from '@tanstack/react-query'
import { type TotpEnrolment, totpCode } from '@wardline/protocol'
import { useState } from 'react'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { TextField } from '../ui/field.tsx'
import { useWardline } from '../wardline/context.tsx'
import styles from './account.module.css'
import { changeFailure } from './failure.ts'
import { QrCode } from './qr-code.tsx'

const text = strings.account.factor

interface EnrolFormProps {
  readonly enrolment: TotpEnrolment
  readonly onConfirmed: (recoveryCodes: readonly string[]) => void
}

/** What the app needs, as a picture, as text and as a link; and its first code back. */
export function EnrolForm({ enrolment, onConfirmed }: EnrolFormProps) {
  const { api } = useWardline()
  const [code, setCode] = useState('')
  const [wrong, setWrong] = useState<string | null>(null)
  const confirm = useMutation({
    mutationFn: (digits: string) => api.confirmTotp(digits),
    gcTime: 0,
    onSuccess: ({ recoveryCodes }) => onConfirmed(recoveryCodes),
    onError: (error) => setWrong(changeFailure(error)),
  })
  return (
    <form
      className={styles.form}
      noValidate
      onSubmit={(event) => {
        event.preventDefault()
        const digits = code.replaceAll(/\s/g, '')
        const right = totpCode.safeParse(digits).success
        setWrong(right ? null : text.digits)
        if (right && !confirm.isPending) confirm.mutate(digits)
      }}
    >
      <p>{text.scan}</p>
      <QrCode value={enrolment.uri} label={text.qr} />
      <div className={styles.key}>
        <span className={styles.hint}>{text.key}</span>
        <code>{enrolment.secret.replaceAll(/(.{4})(?=.)/g, '$1 ')}</code>
        <a href={enrolment.uri}>{text.link}</a>
      </div>
      <TextField
        label={text.code}
        hint={text.codeHint}
        name="one-time-code"
        inputMode="numeric"
        autoComplete="one-time-code"
        maxLength={12}
        value={code}
        error={wrong}
        onChange={(event) => setCode(event.target.value)}
      />
      <div>
        <Button type="submit" kind="primary" aria-disabled={confirm.isPending}>
          {text.confirm}
        </Button>
      </div>
    </form>
  )
}
