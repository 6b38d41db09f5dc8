import { WardlineError } from '@wardline/client'
import { auditOutcome, type DirectoryEntry } from '@wardline/protocol'
import { type SubmitEvent, useId, useState } from 'react'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { SelectField, TextField } from '../ui/field.tsx'
import { useWardline } from '../wardline/context.tsx'
import { useDirectory } from '../wardline/directory.ts'
import styles from './audit-screen.module.css'
import { patientOf } from './patient-of.ts'
import { type AuditSearch, auditSearch, filterOf, localInput } from './search.ts'

const text = strings.audit.filters
/** As in audit-screen.module.css. */
const WIDE = '(min-width: 48rem)'

type Typed = Record<keyof Omit<AuditSearch, 'review'>, string>

interface AuditFiltersProps {
  readonly search: AuditSearch
  /** Actions that were seen: offered while one types. */
  readonly actions: readonly string[]
  readonly onApply: (search: AuditSearch) => void
}

/** The filters of the address bar, to be typed. Give it a `key` of the address, so that it follows a link. */
export function AuditFilters({ search, actions, onApply }: AuditFiltersProps) {
  const people = useDirectory(true).data ?? []
  const list = useId()
  // On a phone the filters would push the events out of sight.
  const [open] = useState(() => Object.keys(filterOf(search)).length > 0 || matchMedia(WIDE).matches)
  const [typed, setTyped] = useState<Typed>({
    actor: search.actor ?? '',
    patient: search.patient ?? '',
    action: search.action ?? '',
    outcome: search.outcome ?? '',
    connection: search.connection ?? '',
    from: localInput(search.from),
    until: localInput(search.until),
  })
  const understood = auditSearch(typed)
  // What is no id of a patient is a record number: the server is asked for the id, so that no address holds the number.
  const { api } = useWardline()
  const [lookUp, setLookUp] = useState<string | null>(null)
  const isNumber = typed.patient.trim() !== '' && understood.patient === undefined
  const wrong = (name: keyof Typed) => {
    if (name === 'patient') return lookUp
    return typed[name] !== '' && understood[name] === undefined ? text.invalid : null
  }
  const field = (
    name: keyof Typed,
    label: string,
    rest: { type?: string; placeholder?: string; list?: string } = {},
  ) => (
    <TextField
      compact
      label={label}
      value={typed[name]}
      error={wrong(name)}
      autoComplete="off"
      spellCheck={false}
      onChange={(event) => {
        setTyped({ ...typed, [name]: event.target.value })
        if (name === 'patient') setLookUp(null)
      }}
      {...rest}
    />
  )
  const submit = async (event: SubmitEvent<HTMLFormElement>) => {
    event.preventDefault()
    if (!isNumber) return onApply(understood)
    try {
      onApply({ ...understood, patient: await patientOf(api, typed.patient) })
    } catch (error) {
      setLookUp(error instanceof WardlineError && error.code === 'not-found' ? text.noPatient : text.noLookUp)
    }
  }

  return (
    <details className={styles.filters} open={open}>
      <summary>{text.label}</summary>
      <form className={styles.fields} aria-label={text.label} onSubmit={(event) => void submit(event)}>
        {people.length === 0 ? (
          field('actor', text.actorId)
        ) : (
          <SelectField
            label={text.actor}
            value={typed.actor}
            onChange={(actor) => setTyped({ ...typed, actor })}
            options={personOptions(people, typed.actor)}
          />
        )}
        {field('patient', text.patient)}
        {field('action', text.action, { placeholder: text.actionHint, list })}
        <datalist id={list}>
          {actions.map((action) => (
            <option key={action} value={action}>
              {action}
            </option>
          ))}
        </datalist>
        <SelectField
          label={text.outcome}
          value={typed.outcome}
          onChange={(outcome) => setTyped({ ...typed, outcome })}
          options={[
            { value: '', text: text.anyOutcome },
            ...auditOutcome.options.map((value) => ({ value, text: strings.audit.outcomes[value] })),
          ]}
        />
        {field('connection', text.connection)}
        {field('from', text.from, { type: 'datetime-local' })}
        {field('until', text.until, { type: 'datetime-local' })}
        <div className={styles.apply}>
          <Button type="submit" kind="primary" small>
            {text.apply}
          </Button>
          {Object.keys(filterOf(search)).length > 0 && (
            <Button small kind="quiet" onClick={() => onApply({})}>
              {strings.audit.clear}
            </Button>
          )}
        </div>
      </form>
    </details>
  )
}

/** Everybody in the directory by name; whoever is asked for and has left it, by id. */
function personOptions(people: readonly DirectoryEntry[], chosen: string): { value: string; text: string }[] {
  const known = people
    .map(({ id, displayName }) => ({ value: id, text: displayName }))
    .toSorted((a, b) => a.text.localeCompare(b.text))
  const former = chosen === '' || known.some(({ value }) => value === chosen) ? [] : [{ value: chosen, text: chosen }]
  return [{ value: '', text: text.anyOutcome }, ...known, ...former]
}
