import { WardlineError } from '@wardline/client'
import type { AlertDelivery, AlertWebhook } from '@wardline/protocol'
import { type SubmitEvent, useState } from 'react'
import { clockSeconds } from '../format/time.ts'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { TextField } from '../ui/field.tsx'
import { failureText } from '../ui/screen-state.tsx'
import { useAbility } from '../wardline/context.tsx'
import type { useWebhook } from './api.ts'
import styles from './telling-dialog.module.css'

const text = strings.alerts.settings

interface WebhookFormProps {
  readonly webhook: ReturnType<typeof useWebhook>
  readonly shown: AlertWebhook
}

/** The address, its buttons for whoever may change it, and the last messages. */
export function WebhookForm({ webhook: { set, remove, test }, shown }: WebhookFormProps) {
  const manages = useAbility('integration.manage')
  const [url, setUrl] = useState(shown.url ?? '')
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    set.mutate(url.trim())
  }
  const isBusy = set.isPending || remove.isPending || test.isPending
  const other = remove.error ?? test.error
  return (
    <>
      <form className={styles.section} onSubmit={submit}>
        <TextField
          label={text.url}
          hint={text.urlHint}
          type="url"
          inputMode="url"
          autoComplete="off"
          spellCheck={false}
          required
          readOnly={!manages}
          value={url}
          error={set.error === null ? null : wrong(set.error)}
          onChange={(event) => setUrl(event.target.value)}
        />
        {manages && (
          <div className={styles.row}>
            <Button kind="primary" type="submit" disabled={isBusy || url.trim() === ''}>
              {shown.url === null ? text.save : text.replace}
            </Button>
            {shown.url !== null && (
              <>
                <Button disabled={isBusy} onClick={() => test.mutate()}>
                  {text.test}
                </Button>
                <Button kind="danger" disabled={isBusy} onClick={() => remove.mutate()}>
                  {text.remove}
                </Button>
              </>
            )}
          </div>
        )}
        {other !== null && <p role="alert">{failureText(other).title}</p>}
      </form>
      {set.data !== undefined && <Secret secret={set.data.secret} />}
      <h4>{text.deliveries}</h4>
      {shown.deliveries.length === 0 ? (
        <p className={styles.soft}>{text.noDeliveries}</p>
      ) : (
        <ul className={styles.deliveries}>
          {shown.deliveries.map((each) => (
            <li key={each.id} data-state={each.state}>
              <span>
                {clockSeconds(each.createdAt)} {each.alert === null ? text.kindTest : text.kindAlert}
              </span>
              <span>{outcomeOf(each)}</span>
            </li>
          ))}
        </ul>
      )}
    </>
  )
}

function wrong(error: unknown): string {
  return error instanceof WardlineError && error.code === 'invalid' ? text.wrongUrl : failureText(error).title
}

function outcomeOf({ state, status, fault, nextAt, attempts }: AlertDelivery): string {
  const what = status === null ? (text.faults[fault ?? ''] ?? text.waiting) : text.status(status)
  if (state === 'delivered') return text.delivered(status ?? 0)
  if (state === 'failed') return text.failed(what)
  return attempts === 0 || nextAt === null ? text.waiting : text.again(what, clockSeconds(nextAt))
}

function Secret({ secret }: { readonly secret: string }) {
  const [copied, setCopied] = useState(false)
  return (
    <div className={styles.secret} role="status">
      <p>{text.secret}</p>
      <code>{secret}</code>
      <Button
        small
        onClick={() => {
          void navigator.clipboard.writeText(secret).then(() => setCopied(true))
        }}
      >
        {copied ? text.copied : text.copy}
      </Button>
    </div>
  )
}
