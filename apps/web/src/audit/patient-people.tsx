import type { PatientAccess } from '@wardline/protocol'
import { UserRoundSearch } from 'lucide-react'
import { clockSeconds, shortDate } from '../format/time.ts'
import { strings } from '../strings.ts'
import { Failure, Loading, ScreenState } from '../ui/screen-state.tsx'
import { usePatientAccess } from './api.ts'
import styles from './audit-table.module.css'
import type { AuditSearch } from './search.ts'

const text = strings.audit.people
const counted = new Intl.NumberFormat()
/** Actions that are named; the rest is counted. */
const NAMED = 4

interface PatientPeopleProps {
  readonly patient: string
  /** Shows the events of one of them, about this patient. */
  readonly onPerson: (part: AuditSearch) => void
}

/** “Who saw this patient”: each person once, the latest first. */
export function PatientPeople({ patient, onPerson }: PatientPeopleProps) {
  const report = usePatientAccess(patient)
  if (report.isPending) return <Loading lines={6} />
  if (report.isError) return <Failure error={report.error} onRetry={() => void report.refetch()} />
  const { people } = report.data
  if (people.length === 0) return <ScreenState icon={UserRoundSearch} title={text.nobody} />
  return (
    <>
      <p className={styles.covers}>{text.covers}</p>
      <table className={styles.table} aria-label={text.table}>
        <thead>
          <tr>
            {Object.entries(text.columns).map(([name, column]) => (
              <th key={name} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {people.map((person) => (
            <PersonRow key={person.user?.id ?? ''} person={person} onPerson={onPerson} />
          ))}
        </tbody>
      </table>
    </>
  )
}

interface PersonRowProps {
  readonly person: PatientAccess['people'][number]
  readonly onPerson: (part: AuditSearch) => void
}

function PersonRow({
  person: { user, first, last, allowed, refused, lists, moreLists, actions },
  onPerson,
}: PersonRowProps) {
  const named = actions.slice(0, NAMED).map(({ action, count }) => `${action} ×${counted.format(count)}`)
  const rest = actions.length - named.length
  return (
    <tr data-outcome={refused > 0 && allowed + lists === 0 ? 'refused' : 'allowed'}>
      <td>
        {user === null ? (
          <span className={styles.none}>{strings.audit.system}</span>
        ) : (
          <button type="button" title={text.only} onClick={() => onPerson({ actor: user.id })}>
            {user.displayName ?? user.id.slice(0, 8)}
          </button>
        )}
      </td>
      {[first, last].map((at) => (
        <td key={at} className={styles.time}>
          <time dateTime={at}>
            {shortDate(at)} <strong>{clockSeconds(at)}</strong>
          </time>
        </td>
      ))}
      <td>{counted.format(allowed)}</td>
      <td>
        {refused === 0 ? (
          <span className={styles.none}>{strings.audit.none}</span>
        ) : (
          <strong>{counted.format(refused)}</strong>
        )}
      </td>
      <td>
        {lists === 0 ? (
          <span className={styles.none}>{strings.audit.none}</span>
        ) : (
          text.lists(counted.format(lists), moreLists)
        )}
      </td>
      <td>
        {named.join(', ')}
        {rest > 0 && ` ${text.more(rest)}`}
      </td>
    </tr>
  )
}
