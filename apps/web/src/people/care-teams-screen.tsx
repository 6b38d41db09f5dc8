import { useNavigate, useSearch } from '@tanstack/react-router'
import { WardlineError } from '@wardline/client'
import { HeartHandshake, Search } from 'lucide-react'
import { type SubmitEvent, useState } from 'react'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { SelectField, TextField } from '../ui/field.tsx'
import { failureText, ScreenState } from '../ui/screen-state.tsx'
import { useAbility } from '../wardline/context.tsx'
import { useDirectory } from '../wardline/directory.ts'
import { AssignForm } from './assign-form.tsx'
import { AssignmentList } from './assignment-list.tsx'
import styles from './care-teams.module.css'
import { useFindPatient } from './patient-identity.ts'
import { PatientLine } from './patient-line.tsx'
import { PeoplePage } from './people-page.tsx'
import type { PeopleSearch } from './search.ts'

const text = strings.accounts.careTeams

/** Who cares for whom, by patient or by person; assigned here, and ended here. */
export function CareTeamsScreen() {
  const search = useSearch({ from: '/people/care-teams' })
  const navigate = useNavigate()
  const mayAssign = useAbility('care-team.manage')
  const go = (next: PeopleSearch) => void navigate({ to: '/people/care-teams', search: next })
  const { patient, person } = search
  return (
    <PeoplePage title={text.title} lead={text.lead}>
      <Finders search={search} onGo={go} />
      {patient !== undefined && <PatientLine id={patient} />}
      {patient === undefined && person === undefined ? (
        <ScreenState icon={HeartHandshake} title={text.start} />
      ) : (
        <AssignmentList search={search} />
      )}
      {mayAssign && patient !== undefined && <AssignForm key={patient} patient={patient} />}
    </PeoplePage>
  )
}

interface FindersProps {
  readonly search: PeopleSearch
  readonly onGo: (search: PeopleSearch) => void
}

function Finders({ search, onGo }: FindersProps) {
  const people = useDirectory(true).data ?? []
  const find = useFindPatient()
  const [mrn, setMrn] = useState('')
  const submit = (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (mrn.trim() === '' || find.isPending) return
    find.mutate(mrn, {
      onSuccess: ({ id }) => {
        setMrn('')
        onGo({ patient: id })
      },
    })
  }
  const names = people.map(({ id, displayName }) => ({ value: id, text: displayName }))
  return (
    <div className={styles.finders}>
      <form role="search" aria-label={text.findPatient} className={styles.byNumber} onSubmit={submit}>
        <TextField
          compact
          label={text.mrn}
          hint={text.mrnHint}
          error={find.error === null ? null : notFound(find.error)}
          value={mrn}
          maxLength={64}
          inputMode="numeric"
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => {
            if (find.error !== null) find.reset()
            setMrn(event.target.value)
          }}
        />
        <Button type="submit" icon={Search} aria-disabled={find.isPending}>
          {text.find}
        </Button>
      </form>
      <SelectField
        label={text.person}
        value={search.person ?? ''}
        options={[{ value: '', text: text.choose }, ...names]}
        onChange={(person) => onGo(person === '' ? {} : { person })}
      />
    </div>
  )
}

function notFound(error: Error): string {
  return error instanceof WardlineError && error.code === 'not-found' ? text.nobody : failureText(error).title
}
