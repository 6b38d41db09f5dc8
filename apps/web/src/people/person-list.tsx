import type { AdminUser } from '@wardline/protocol'
import { Search } from 'lucide-react'
import { useState } from 'react'
import { strings } from '../strings.ts'
import { Button } from '../ui/button.tsx'
import { TextField } from '../ui/field.tsx'
import { Failure, Loading, ScreenState } from '../ui/screen-state.tsx'
import { useAbility, useMe } from '../wardline/context.tsx'
import { useAccounts, useResetFactors } from './api.ts'
import { ConfirmDialog } from './confirm-dialog.tsx'
import styles from './people-screen.module.css'
import { PersonDialog } from './person-dialog.tsx'
import { SetUpDialog } from './set-up-dialog.tsx'

const text = strings.accounts.people
/** So few are seen at a glance: no field to find one of them. */
const FEW = 6

interface PersonListProps {
  /** Says above the list what was done. */
  readonly onDone: (said: string | null) => void
}

/** The accounts, each with its roles; the way to change one, and to help somebody who has lost every second factor. */
export function PersonList({ onDone }: PersonListProps) {
  const accounts = useAccounts()
  const [filter, setFilter] = useState('')
  const [asked, setAsked] = useState<{ readonly person: AdminUser; readonly to: 'reset' | 'change' | 'set-up' } | null>(
    null,
  )
  const reset = useResetFactors()
  if (accounts.isPending) return <Loading lines={6} />
  if (accounts.isError) return <Failure error={accounts.error} onRetry={() => void accounts.refetch()} />
  const people = accounts.data.pages.flatMap(({ items }) => items)
  const found = people.filter((person) => matches(person, filter))
  const ask = (person: AdminUser, to: 'reset' | 'change') => {
    onDone(null)
    reset.reset()
    setAsked({ person, to })
  }
  return (
    <>
      {(people.length > FEW || accounts.hasNextPage) && (
        <TextField
          className={styles.find ?? ''}
          label={text.filter}
          placeholder={text.filterHint}
          value={filter}
          autoComplete="off"
          spellCheck={false}
          onChange={(event) => setFilter(event.target.value)}
        />
      )}
      {found.length === 0 ? (
        <ScreenState icon={Search} title={text.noMatch} />
      ) : (
        <ul className={styles.list}>
          {found.map((person) => (
            <PersonRow key={person.id} person={person} onAsk={ask} />
          ))}
        </ul>
      )}
      {accounts.hasNextPage && (
        <div>
          <Button disabled={accounts.isFetchingNextPage} onClick={() => void accounts.fetchNextPage()}>
            {text.more}
          </Button>
        </div>
      )}
      {asked?.to === 'change' && (
        <PersonDialog
          person={asked.person}
          onClose={() => setAsked(null)}
          onSetUp={() => setAsked({ person: asked.person, to: 'set-up' })}
          onDone={(said) => {
            onDone(said)
            setAsked(null)
          }}
        />
      )}
      {asked?.to === 'set-up' && <SetUpDialog person={asked.person} onClose={() => setAsked(null)} />}
      {asked?.to === 'reset' && (
        <ConfirmDialog
          title={text.resetTitle(asked.person.displayName)}
          more={text.resetMore}
          sure={text.resetSure}
          busy={reset.isPending}
          error={reset.error}
          onClose={() => setAsked(null)}
          onSure={() =>
            reset.mutate(asked.person, {
              onSuccess: () => {
                onDone(text.resetDone(asked.person.displayName))
                setAsked(null)
              },
            })
          }
        />
      )}
    </>
  )
}

interface PersonRowProps {
  readonly person: AdminUser
  readonly onAsk: (person: AdminUser, to: 'reset' | 'change') => void
}

function PersonRow({ person, onAsk }: PersonRowProps) {
  const me = useMe().id
  const mayChange = useAbility('user.manage')
  const mayReset = useAbility('factor.reset')
  const isPerson = person.kind === 'person'
  const mark = person.disabled ? text.disabled : !isPerson ? text.service : person.id === me ? text.you : null
  return (
    <li className={styles.row} data-off={person.disabled ? '' : undefined}>
      <div>
        <p className={styles.name}>
          {person.displayName} {mark !== null && <span className={styles.mark}>{mark}</span>}
        </p>
        <p className={styles.hint}>
          {[person.username, person.title, person.roles.map(strings.words.role).join(', ') || text.none]
            .filter(Boolean)
            .join(' · ')}
        </p>
      </div>
      {isPerson && person.id !== me && (
        <div className={styles.ways}>
          {mayReset && !person.disabled && (
            <Button
              small
              kind="quiet"
              aria-label={text.resetLabel(person.displayName)}
              aria-haspopup="dialog"
              onClick={() => onAsk(person, 'reset')}
            >
              {text.reset}
            </Button>
          )}
          {mayChange && (
            <Button
              small
              aria-label={text.editLabel(person.displayName)}
              aria-haspopup="dialog"
              onClick={() => onAsk(person, 'change')}
            >
              {text.edit}
            </Button>
          )}
        </div>
      )}
    </li>
  )
}

/** Each word of what was typed, in a name, a title or a role. */
function matches(person: AdminUser, filter: string): boolean {
  const words = filter.toLocaleLowerCase().split(/\s+/).filter(Boolean)
  const held = `${person.displayName} ${person.username} ${person.title ?? ''} ${person.roles.join(' ')}`
  const all = held.toLocaleLowerCase()
  return words.every((word) => all.includes(word))
}
