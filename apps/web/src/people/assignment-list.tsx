import type { CareTeamAssignment } from '@wardline/protocol'
import { clock, shortDate } from '../format/time.ts'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Failure, Loading } from '../ui/screen-state.tsx'
import { useAbility, useMe } from '../wardline/context.tsx'
import { useNameOf } from '../wardline/directory.ts'
import { useAssignments, useEndAssignment } from './api.ts'
import { whenOf } from './assignment-time.ts'
import { useEnding } from './ending.tsx'
import styles from './people-screen.module.css'
import type { PeopleSearch } from './search.ts'

const text = strings.accounts.careTeams
const moment = (at: string) => `${shortDate(at)} ${clock(at)}`

/** Assignments in three parts: in force, to come, past. */
export function AssignmentList({ search }: { readonly search: PeopleSearch }) {
  const held = useAssignments(search)
  const { ask, notice } = useEnding(useEndAssignment(), { more: text.endMore, sure: text.endSure })
  const nameOf = useNameOf()
  if (held.isPending) return <Loading lines={4} />
  if (held.isError) return <Failure error={held.error} onRetry={() => void held.refetch()} />
  const all = held.data.pages.flatMap(({ items }) => items)
  // As of when the list was had: a clock that goes on would move rows under the pointer.
  const by = Map.groupBy(all, (each) => whenOf(each, held.dataUpdatedAt))
  const byPatient = search.patient !== undefined
  const onEnd = ({ id, user }: CareTeamAssignment) =>
    ask({ what: id, title: text.endTitle(nameOf(user)), ended: () => text.ended(nameOf(user)) })
  return (
    <>
      {notice}
      {(['now', 'coming', 'past'] as const).map((when) => {
        const rows = by.get(when) ?? []
        if (rows.length === 0 && when !== 'now') return null
        return (
          <section key={when} className={styles.section} aria-label={text[when]}>
            <h2>{text[when]}</h2>
            {rows.length === 0 ? (
              <p className={styles.lead}>{byPatient ? text.noneNow : text.noneNowPerson}</p>
            ) : (
              <ul className={styles.list}>
                {rows.map((row) => (
                  <AssignmentRow
                    key={row.id}
                    row={row}
                    name={byPatient ? nameOf(row.user) : text.patient(row.patient)}
                    onEnd={when === 'past' ? null : onEnd}
                  />
                ))}
              </ul>
            )}
          </section>
        )
      })}
      {held.hasNextPage && (
        <div>
          <Button disabled={held.isFetchingNextPage} onClick={() => void held.fetchNextPage()}>
            {strings.accounts.people.more}
          </Button>
        </div>
      )}
    </>
  )
}

interface AssignmentRowProps {
  readonly row: CareTeamAssignment
  /** Who, of a patient's; which patient, of a person's. */
  readonly name: string
  readonly onEnd: ((row: CareTeamAssignment) => void) | null
}

function AssignmentRow({ row, name, onEnd }: AssignmentRowProps) {
  const me = useMe().id
  const mayEnd = useAbility('care-team.manage') && row.user !== me
  return (
    <li className={styles.row}>
      <div>
        <p className={styles.name}>{name}</p>
        <p className={styles.hint}>
          {[
            strings.words.role(row.role),
            text.from(moment(row.startsAt)),
            row.endsAt === null ? text.open : text.until(moment(row.endsAt)),
          ].join(' · ')}
        </p>
      </div>
      {mayEnd && onEnd !== null && (
        <Button small kind="danger" aria-label={text.endLabel(name)} aria-haspopup="dialog" onClick={() => onEnd(row)}>
          {text.endNow}
        </Button>
      )}
    </li>
  )
}
