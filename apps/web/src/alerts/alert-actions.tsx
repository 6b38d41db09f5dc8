import { type Alert, alertResolution } from '@wardline/protocol'
import { useState } from 'react'
import { clock, shortDate } from '../format/time.ts'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { SelectField } from '../ui/field.tsx'
import { failureText } from '../ui/screen-state.tsx'
import { useAbility } from '../wardline/context.tsx'
import styles from './alert-detail.module.css'
import { useAlertActs } from './api.ts'

const text = strings.alerts
const OPTIONS = alertResolution.options.map((value) => ({ value, text: text.resolutions[value] }))
const when = (at: string) => `${shortDate(at)} ${clock(at)}`
const who = ({ displayName, id }: { displayName: string | null; id: string }) => displayName ?? id

/** Who looks after an alert, or how it ended; and the buttons for whoever may say so. */
export function AlertActions({ alert }: { readonly alert: Alert }) {
  const manages = useAbility('alert.manage')
  const { acknowledge, close } = useAlertActs(alert.id)
  const [resolution, setResolution] = useState<(typeof alertResolution.options)[number]>('resolved')
  const failed = acknowledge.error ?? close.error
  const { acknowledged, closed } = alert
  return (
    <div className={styles.actions}>
      {acknowledged !== null && <p>{text.acknowledgedBy(who(acknowledged.by), when(acknowledged.at))}</p>}
      {closed !== null && <p>{text.closedBy(who(closed.by), when(closed.at), text.resolutions[closed.resolution])}</p>}
      {manages && alert.state !== 'closed' && (
        <div className={styles.buttons}>
          {alert.state === 'open' && (
            <Button kind="primary" disabled={acknowledge.isPending} onClick={() => acknowledge.mutate()}>
              {text.acknowledge}
            </Button>
          )}
          <SelectField
            label={text.closeAs}
            value={resolution}
            options={OPTIONS}
            onChange={(value) => setResolution(alertResolution.parse(value))}
          />
          <Button disabled={close.isPending} onClick={() => close.mutate(resolution)}>
            {text.close}
          </Button>
        </div>
      )}
      {failed !== null && <p role="alert">{failureText(failed).title}</p>}
    </div>
  )
}
