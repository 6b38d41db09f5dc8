import type { CareTeamAssignment } from '@wardline/protocol'
import { useState } from 'react'
import { clock, shortDate } from '../format/time.ts'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { Failure, Loading } from '../ui/screen-state.tsx'
import { useAbility, useMe } from '../wardline/context.tsx'
import { useDirectory } from '../wardline/directory.ts'
import { useAssignments, useEndAssignment } from './api.ts'
import { whenOf } from './assignment-time.ts'
import { ConfirmDialog } from './confirm-dialog.tsx'
import styles from './people-screen.module.css'
import type { PeopleSearch } from './search.ts'

const text = strings.accounts.careTeams
const moment = (at: string) => `${shortDate(at)} ${clock(at)}`

/** Assignments in three parts: in force, to come, past. */
export function AssignmentList({ search }: { readonly search: PeopleSearch }) {
  const held = useAssignments(search)
  const end = useEndAssignment()
  const [ending, setEnding] = useState<CareTeamAssignment | null>(null)
  const [done, setDone] = useState<string | null>(null)
  const people = useDirectory(true).data ?? []
  const nameOf = (user: string) => people.find(({ id }) => id === user)?.displayName ?? user.slice(0, 8)
  if (held.isPending) return <Loading lines={4} />
  if (held.isError) return <Failure error={held.error} onRetry={() => void held.refetch()} />
  const all = held.data.pages.flatMap(({ items }) => items)
  // As of when the list was had: a clock that goes on would move rows under the pointer.
  const by = Map.groupBy(all, (each) => whenOf(each, held.dataUpdatedAt))
  const byPatient = search.patient !== undefined
  const ask = (assignment: CareTeamAssignment) => {
    end.reset()
    setDone(null)
    setEnding(assignment)
  }
  return (
    <>
      {done !== null && (
        <p role="status" className={styles.done}>
          {done}
        </p>
      )}
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
                    onEnd={when === 'past' ? null : ask}
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
      {ending !== null && (
        <ConfirmDialog
          title={text.endTitle(nameOf(ending.user))}
          more={text.endMore}
          sure={text.endSure}
          busy={end.isPending}
          error={end.error}
          onClose={() => setEnding(null)}
          onSure={() =>
            end.mutate(ending.id, {
              onSuccess: () => {
                setDone(text.ended(nameOf(ending.user)))
                setEnding(null)
              },
            })
          }
        />
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
