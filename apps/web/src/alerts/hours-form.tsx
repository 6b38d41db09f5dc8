import { WardlineError } from '@wardline/client'
import type { WorkingHours } from '@wardline/protocol'
import { type SubmitEvent, useState } from 'react'
import { zone as deviceZone } from '../format/time.ts'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { TextField } from '../ui/field.tsx'
import { failureText } from '../ui/screen-state.tsx'
import { useAbility } from '../wardline/context.tsx'
import type { useAlertSettings } from './api.ts'
import { minuteOf, timeOf } from './minutes.ts'
import styles from './telling-dialog.module.css'

const text = strings.alerts.settings

interface HoursFormProps {
  readonly hours: WorkingHours | null
  readonly change: ReturnType<typeof useAlertSettings>['change']
}

/** When administrators work: two times of the day in a zone, or nothing. */
export function HoursForm({ hours, change }: HoursFormProps) {
  const manages = useAbility('settings.manage')
  const [from, setFrom] = useState(hours === null ? '' : timeOf(hours.from))
  const [until, setUntil] = useState(hours === null ? '' : timeOf(hours.until))
  const [zone, setZone] = useState(hours?.zone ?? deviceZone())
  const [isHalf, setHalf] = useState(false)
  const submit = (event: SubmitEvent) => {
    event.preventDefault()
    const [first, last] = [minuteOf(from), minuteOf(until)]
    const isNone = from === '' && until === ''
    setHalf(!isNone && (first === null || last === null))
    if (isNone) change.mutate({ workingHours: null })
    else if (first !== null && last !== null) change.mutate({ workingHours: { zone, from: first, until: last } })
  }
  const refused = change.error instanceof WardlineError && change.error.code === 'invalid'
  const error = isHalf || refused ? text.wrongHours : change.error === null ? null : failureText(change.error).title
  return (
    <form className={styles.section} onSubmit={submit}>
      <p className={styles.soft}>{text.hoursHint}</p>
      <div className={styles.row}>
        <TextField
          compact
          label={text.from}
          type="time"
          readOnly={!manages}
          value={from}
          onChange={(event) => setFrom(event.target.value)}
        />
        <TextField
          compact
          label={text.until}
          type="time"
          readOnly={!manages}
          value={until}
          onChange={(event) => setUntil(event.target.value)}
        />
        <TextField
          compact
          label={text.zone}
          autoComplete="off"
          spellCheck={false}
          readOnly={!manages}
          value={zone}
          onChange={(event) => setZone(event.target.value)}
        />
        {manages && (
          <Button type="submit" disabled={change.isPending}>
            {text.save}
          </Button>
        )}
      </div>
      {error !== null && <p role="alert">{error}</p>}
      {change.isSuccess && error === null && <p role="status">{text.saved}</p>}
    </form>
  )
}
