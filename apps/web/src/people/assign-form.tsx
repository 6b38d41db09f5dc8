import { WardlineError } from '@wardline/client'
import { UserRoundPlus } from 'lucide-react'
import { type SubmitEvent, useState } from 'react'
import { zone } from '../format/time.ts'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { SelectField, TextField } from '../ui/field.tsx'
import { failureText } from '../ui/screen-state.tsx'
import { useMe } from '../wardline/context.tsx'
import { useDirectory } from '../wardline/directory.ts'
import { useAssign } from './api.ts'
import { typedTime } from './assignment-time.ts'
import styles from './care-teams.module.css'

const text = strings.accounts.careTeams

/** Puts somebody on this patient's care team, from when until when. Nobody assigns themselves. */
export function AssignForm({ patient }: { readonly patient: string }) {
  const me = useMe().id
  const assign = useAssign()
  const people = (useDirectory(true).data ?? []).filter(({ id }) => id !== me)
  const [user, setUser] = useState('')
  const [role, setRole] = useState('')
  const [from, setFrom] = useState('')
  const [until, setUntil] = useState('')
  const [done, setDone] = useState<string | null>(null)
  const chosen = people.find(({ id }) => id === user)
  const roles = chosen?.roles ?? []
  const taken = roles.includes(role) ? role : (roles[0] ?? '')

  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (chosen === undefined || taken === '' || assign.isPending) return
    const [startsAt, endsAt] = [typedTime(from), typedTime(until)]
    setDone(null)
    assign.mutate(
      {
        patient,
        user,
        role: taken,
        ...(startsAt === null ? {} : { startsAt }),
        ...(endsAt === null ? {} : { endsAt }),
      },
      {
        onSuccess: () => {
          setDone(text.assigned(chosen.displayName))
          setUser('')
        },
      },
    )
  }

  return (
    <form className={styles.assign} aria-label={text.assign} onSubmit={submit}>
      <h2>{text.assign}</h2>
      <div className={styles.fields}>
        <SelectField
          label={text.assignPerson}
          value={user}
          options={[
            { value: '', text: text.choose },
            ...people.map(({ id, displayName }) => ({ value: id, text: displayName })),
          ]}
          onChange={setUser}
        />
        <SelectField
          label={text.assignRole}
          value={taken}
          options={roles.map((value) => ({ value, text: strings.words.role(value) }))}
          onChange={setRole}
        />
        <TextField
          compact
          type="datetime-local"
          label={text.assignFrom}
          hint={text.assignFromHint}
          value={from}
          onChange={(event) => setFrom(event.target.value)}
        />
        <TextField
          compact
          type="datetime-local"
          label={text.assignUntil}
          hint={text.assignUntilHint}
          value={until}
          onChange={(event) => setUntil(event.target.value)}
        />
      </div>
      {assign.error !== null && (
        <p role="alert" className={styles.failure}>
          {whyNot(assign.error)}
        </p>
      )}
      <p role="status" className={styles.hint}>
        {done}
      </p>
      <div className={styles.send}>
        <Button type="submit" kind="primary" icon={UserRoundPlus} disabled={taken === ''}>
          {text.assignSave}
        </Button>
        <p className={styles.hint}>{strings.words.timesIn(zone())}</p>
      </div>
    </form>
  )
}

function whyNot(error: Error): string {
  if (!(error instanceof WardlineError)) return failureText(error).title
  if (error.fields.includes('/role')) return text.wrongRole
  if (error.fields.includes('/endsAt')) return text.wrongEnd
  return error.code === 'conflict' ? text.overlaps : failureText(error).title
}
