import { auditOutcome } from '@wardline/protocol'
import { type FormEvent, useState } from 'react'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { SelectField, TextField } from '../ui/field.tsx'
import { type AuditSearch, auditSearch, localInput } from './search.ts'
import styles from './audit-screen.module.css'

const text = strings.audit.filters
type Typed = Record<keyof AuditSearch, string>

interface AuditFiltersProps {
  readonly search: AuditSearch
  readonly onApply: (search: AuditSearch) => void
}

/** The filters of the address bar, to be typed. Give it a `key` of the address, so that it follows a link. */
export function AuditFilters({ search, onApply }: AuditFiltersProps) {
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
  const wrong = (name: keyof AuditSearch) =>
    typed[name] !== '' && understood[name] === undefined ? text.invalid : null
  const field = (name: keyof AuditSearch, label: string, rest: { type?: string; placeholder?: string } = {}) => (
    <TextField
      compact
      label={label}
      value={typed[name]}
      error={wrong(name)}
      autoComplete="off"
      spellCheck={false}
      onChange={(event) => setTyped({ ...typed, [name]: event.target.value })}
      {...rest}
    />
  )
  const submit = (event: FormEvent) => {
    event.preventDefault()
    onApply(understood)
  }

  return (
    <form className={styles.filters} aria-label={text.label} onSubmit={submit}>
      {field('actor', text.actor)}
      {field('patient', text.patient)}
      {field('action', text.action, { placeholder: text.actionHint })}
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
        {Object.keys(search).length > 0 && (
          <Button small kind="quiet" onClick={() => onApply({})}>
            {strings.audit.clear}
          </Button>
        )}
      </div>
    </form>
  )
}
